"""What is drawn on the map: one module per layer; the only place that knows folium."""
