"""Boxes of the lands that sources cover, in degrees (EPSG:4326): west, south, east, north.

They only spare questions that can have no answer, so each lies outside the farthest points of its land, rounded
outwards to a tenth of a degree or more. These points, as any atlas has them, stand beside each box.
"""

from __future__ import annotations

from situation.topic import Box

#: The fifty states in two boxes, since the Aleutians cross 180°; then the islands far from them.
USA: tuple[Box, ...] = (
    (-179.2, 18.9, -66.9, 71.5),  # Amatignak Island, Ka Lae, West Quoddy Head, Point Barrow
    (172.3, 51.0, 180.0, 53.1),  # Attu in the west; Amchitka in the south
    (-67.3, 17.6, -64.5, 18.6),  # Puerto Rico without Mona, and the Virgin Islands as far as Saint Croix
    (144.5, 13.2, 146.1, 20.6),  # Guam, and the Northern Marianas as far as Farallon de Pajaros
    (
        -171.2,
        -14.6,
        -168.1,
        -11.0,
    ),  # American Samoa: Swains Island in the north-west, Rose Atoll in the south-east
)

#: Metropolitan France and its five departments overseas.
FRANCE: tuple[Box, ...] = (
    (-5.2, 41.3, 9.6, 51.1),  # Ouessant, the Lavezzi, the east coast of Corsica, Bray-Dunes
    (-61.9, 14.3, -60.7, 16.6),  # Guadeloupe and Martinique
    (-54.7, 2.1, -51.6, 5.8),  # French Guiana
    (44.9, -21.5, 56.0, -12.6),  # Mayotte and Réunion
)

#: The Isles of Scilly in the south-west, Lowestoft Ness, Marshall Meadows Bay.
ENGLAND: tuple[Box, ...] = ((-6.5, 49.8, 1.9, 55.9),)
