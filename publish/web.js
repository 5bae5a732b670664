/* Draws the sites of the table on a map, and makes the table sort, search and lead to the map.
 *
 * Written for Leaflet 1.9, no other dependency; fetches nothing. What it draws stands in the element "data":
 *   code, old        one sign a row of the table: class (place in signs) and whether the reading is old
 *   half             row -> half width and height in degrees of the square that a hidden site stands for
 *   cells            instead of marks where there are many sites: k, x, y, n (by class)
 *   surface          bounds [west, south, east, north], wide, high, colours, opacity, runs (how many cells, of which
 *                    class; rows from the north in equal steps of Web Mercator, -1 where nothing is known)
 *   ground           step, ink, shapes ([kind, lines of whole steps, each from the point before]), names
 * Names, results, days and places are read from the table, and only ever set as textContent.
 */
(function () {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const body = document.querySelector("#sites tbody");
  const rows = body ? Array.from(body.rows) : [];
  const off = new Set(); /* classes that are unticked */
  const state = { map: null, marks: [], byRow: new Map(), sought: "", at: null, popup: null };
  root.classList.add("on");

  function text(name, words, parent) {
    const element = document.createElement(name);
    element.textContent = words;
    if (parent) parent.appendChild(element);
    return element;
  }

  const cell = (row, column) => rows[row].cells[column].textContent;
  const PLACE = 4; /* its column: latitude, longitude in degrees */
  const places = rows.map((_, row) => {
    const [lat, lon] = cell(row, PLACE).split(",").map(Number);
    return Number.isFinite(lon) ? [lat, lon] : null;
  });

  /* What a result is sorted by: its number, or the limit of what was not measured. */
  function value(row) {
    const found = cell(row, 1).replace(/,/g, "").match(/^[<>]? ?(-?[\d.]+(?:e[-+]?\d+)?)/);
    return found ? Number(found[1]) : -Infinity;
  }

  const code = (row) => Number(data.code[row]);

  /* ---- marks: colour is never the only sign ------------------------------------------------ */

  function glyph(c, style, x, y, r, pale) {
    const corners = data.shapes[style.shape] || [], hollow = style.shape === "question";
    c.save();
    c.globalAlpha = pale ? 0.6 : 1;
    c.beginPath();
    if (corners.length) {
      corners.forEach(([dx, dy], i) => c[i ? "lineTo" : "moveTo"](x + dx * r, y + dy * r));
      c.closePath();
    } else c.arc(x, y, r, 0, 2 * Math.PI);
    c.fillStyle = hollow ? "#ffffff" : style.colour;
    c.strokeStyle = hollow ? style.colour : "#ffffff";
    c.lineWidth = hollow ? Math.max(1.5, r / 3) : 1.2;
    c.fill();
    c.stroke();
    if (hollow) {
      c.fillStyle = style.colour;
      c.font = `bold ${Math.round(1.7 * r)}px sans-serif`;
      c.textAlign = "center";
      c.textBaseline = "middle";
      c.fillText("?", x, y + 0.5);
    }
    c.globalAlpha = 1;
    if (pale) {
      c.beginPath();
      c.arc(x, y, 1.8, 0, 2 * Math.PI);
      c.fillStyle = hollow ? style.colour : "#ffffff";
      c.fill();
    }
    c.restore();
  }

  const Mark = L.CircleMarker.extend({
    _updatePath() {
      const renderer = this._renderer;
      if (!renderer._drawing || this._empty()) return;
      const c = renderer._ctx, { style, pale, radius } = this.options;
      if (this.options.chosen) {
        c.beginPath();
        c.arc(this._point.x, this._point.y, radius + 6, 0, 2 * Math.PI);
        c.strokeStyle = "#111111";
        c.lineWidth = 2.5;
        c.stroke();
      }
      glyph(c, style, this._point.x, this._point.y, radius, pale);
    },
  });

  const Square = L.Rectangle.extend({
    _updatePath() {
      L.Rectangle.prototype._updatePath.call(this);
      const renderer = this._renderer;
      if (!renderer._drawing || !this._pxBounds || !this._parts.length) return;
      const { min, max } = this._pxBounds, size = Math.min(max.x - min.x, max.y - min.y);
      glyph(renderer._ctx, this.options.style, (min.x + max.x) / 2, (min.y + max.y) / 2,
        Math.max(3, Math.min(size * 0.3, 9)), this.options.pale);
    },
  });

  function square(corners, style, more) {
    return new Square(corners, { renderer: state.canvas, bubblingMouseEvents: false, style, color: style.colour,
      weight: 1, opacity: 0.8, fillColor: style.colour, ...more });
  }

  /* One mark a site; the hidden ones of one square are one, shown by the worst, which comes first. */
  function drawSites() {
    const squares = new Map(), single = [];
    for (let row = 0; row < rows.length; row++) {
      if (!places[row] || off.has(code(row))) continue;
      const half = data.half[row], key = half && `${places[row]} ${half}`;
      if (!half) single.push(row);
      else if (squares.has(key)) squares.get(key).push(row);
      else squares.set(key, [row]);
    }
    /* Wide squares lie below narrow ones, squares below single sites, and the worst on top. */
    const order = Array.from(squares.values()).reverse();
    order.sort((a, b) => data.half[b[0]][1] - data.half[a[0]][1]);
    order.forEach(drawSquare);
    single.reverse().forEach(drawSite);
  }

  function drawSquare(found) {
    const row = found[0], [wide, high] = data.half[row], [lat, lon] = places[row];
    add(square([[lat - high, lon - wide], [lat + high, lon + wide]], data.signs[code(row)],
      { fillOpacity: data.surface ? 0 : 0.18, pale: data.old[row] === "1" }), found);
  }

  function drawSite(row) {
    const style = data.signs[code(row)];
    add(new Mark(places[row], { renderer: state.canvas, bubblingMouseEvents: false, style, radius: style.radius,
      pale: data.old[row] === "1" }), [row]);
  }

  function add(mark, found) {
    mark.found = found;
    found.forEach((row) => state.byRow.set(row, mark));
    state.marks.push(mark.addTo(state.group));
  }

  /* Latitude of a fraction of the Web-Mercator square, counted from its north edge. */
  function parallel(y) {
    return (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  }

  function drawCells() {
    const { k, x, y, n } = data.cells;
    x.forEach((_, i) => {
      const counts = n.map((one, kind) => (off.has(kind) ? 0 : one[i])), worst = counts.findIndex(Boolean);
      if (worst < 0) return;
      const mark = square([[parallel((y[i] + 1) / k), (x[i] / k) * 360 - 180],
        [parallel(y[i] / k), ((x[i] + 1) / k) * 360 - 180]], data.signs[worst], { fillOpacity: 0.4 });
      mark.counts = counts;
      state.marks.push(mark.addTo(state.group));
    });
  }

  function draw() {
    state.popup.remove();
    state.group.clearLayers();
    state.marks = [];
    state.byRow.clear();
    if (data.cells) drawCells();
    else drawSites();
  }

  /* ---- what a mark says ---------------------------------------------------------------------- */

  function about(mark) {
    const box = document.createElement("div");
    if (mark.counts) {
      const every = mark.counts.reduce((sum, one) => sum + one, 0);
      text("strong", data.words.several.replace("{n}", every.toLocaleString(root.lang)), box);
      mark.counts.forEach((n, kind) => { if (n) text("div", `${n} ${data.signs[kind].label}`, box); });
      return box;
    }
    if (mark.found.length > 1) text("strong", data.words.several.replace("{n}", mark.found.length), box);
    mark.found.slice(0, 5).forEach((row) => describe(row, box));
    if (mark.found.length > 5) text("div", "…", box);
    return box;
  }

  function describe(row, box) {
    text("strong", cell(row, 0) || cell(row, 5), box);
    text("div", `${cell(row, 1)} · ${cell(row, 2)}`, box);
    return text("div", cell(row, 3), box);
  }

  function open(mark, row) {
    state.marks.forEach((one) => { one.options.chosen = one === mark; });
    state.canvas._redrawBounds = null;
    state.canvas._redraw();
    const place = mark instanceof Square ? mark.getBounds().getCenter() : mark.getLatLng();
    state.popup.setLatLng(place).setContent(about(mark)).openOn(state.map);
    if (row !== undefined) choose(row);
  }

  /* ---- the table ------------------------------------------------------------------------------- */

  function choose(row, focus) {
    if (!rows.length) return;
    if (state.at !== null) {
      rows[state.at].tabIndex = -1;
      rows[state.at].removeAttribute("aria-selected");
    }
    state.at = row;
    rows[row].tabIndex = 0;
    if (focus) rows[row].focus();
    else rows[row].setAttribute("aria-selected", "true");
  }

  function show(row) {
    choose(row);
    const mark = state.byRow.get(row), name = cell(row, 0) || cell(row, 5);
    if (mark) {
      const place = mark instanceof Square ? mark.getBounds().getCenter() : mark.getLatLng();
      state.map.setView(place, Math.max(state.map.getZoom(), state.first + 2), { animate: false });
      open(mark, row);
    } else if (data.cells && places[row]) {
      state.map.setView(places[row], state.first + 3, { animate: false });
    } else return say("no_mark", name);
    return say("opened", name);
  }

  function say(key, name) {
    document.getElementById("found").textContent = data.words[key].replace("{name}", name);
  }

  function filter() {
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = off.has(code(i)) || !row.textContent.toLowerCase().includes(state.sought);
      if (!row.hidden) shown++;
    });
    if (rows.length && (state.at === null || rows[state.at].hidden)) {
      const first = Array.from(body.rows).find((row) => !row.hidden);
      if (first) choose(rows.indexOf(first));
      if (state.at !== null) rows[state.at].removeAttribute("aria-selected");
    }
    const found = document.getElementById("found");
    if (found) {
      found.textContent = data.words.found.replace("{shown}", shown.toLocaleString(root.lang))
        .replace("{every}", rows.length.toLocaleString(root.lang));
    }
  }

  const compare = new Intl.Collator(root.lang, { numeric: true }).compare;

  /* By what is meant, not by what is written: results by number, classes by severity. */
  function keyed(column) {
    if (column === 1) return (a, b) => value(a) - value(b) || 0;
    if (column === 2) return (a, b) => code(a) - code(b);
    return (a, b) => compare(cell(a, column), cell(b, column));
  }

  function sort(head, column) {
    const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1, by = keyed(column);
    head.parentNode.querySelectorAll("[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
    const order = rows.map((_, i) => i).sort((a, b) => down * by(a, b) || a - b);
    body.append(...order.map((i) => rows[i]));
  }

  function step(row, way) {
    let next = way > 0 ? row.nextElementSibling : row.previousElementSibling;
    while (next && next.hidden) next = way > 0 ? next.nextElementSibling : next.previousElementSibling;
    if (next) choose(rows.indexOf(next), true);
  }

  function ends(last) {
    const there = Array.from(body.rows).filter((row) => !row.hidden);
    if (there.length) choose(rows.indexOf(there[last ? there.length - 1 : 0]), true);
  }

  const KEYS = {
    ArrowDown: (row) => step(row, 1),
    ArrowUp: (row) => step(row, -1),
    Home: () => ends(false),
    End: () => ends(true),
    Enter: (row) => show(rows.indexOf(row)),
    " ": (row) => show(rows.indexOf(row)),
    Escape: () => state.popup.remove(),
  };

  function startTable() {
    if (!rows.length) return;
    const table = body.parentNode;
    table.setAttribute("role", "grid");
    table.parentNode.removeAttribute("tabindex"); /* its rows take the focus now */
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      const button = text("button", head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      button.onclick = () => sort(head, column);
    });
    rows.forEach((row) => { row.tabIndex = -1; });
    choose(0);
    rows[0].removeAttribute("aria-selected");
    body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row && !String(window.getSelection())) show(rows.indexOf(row));
    });
    body.addEventListener("keydown", (event) => {
      const act = KEYS[event.key], row = event.target.closest("tr");
      if (!act || !row || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      act(row);
    });
    document.getElementById("search").addEventListener("input", (event) => {
      state.sought = event.target.value.trim().toLowerCase();
      filter();
    });
    filter();
  }

  function startLegend() {
    document.querySelectorAll("#legend li[data-code]").forEach((item) => {
      const box = document.createElement("input"), kind = Number(item.dataset.code);
      box.type = "checkbox";
      box.checked = true;
      item.firstElementChild.prepend(box);
      box.onchange = () => {
        off[box.checked ? "delete" : "add"](kind);
        draw();
        filter();
      };
    });
    const legend = document.getElementById("legend");
    if (legend && document.body.classList.contains("compact")) legend.open = window.innerWidth > 520;
  }

  /* ---- the map --------------------------------------------------------------------------------- */

  function unpack(line, step) {
    const points = [];
    for (let i = 0, x = 0, y = 0; i < line.length; i += 2) {
      points.push([(y += line[i + 1]) * step, (x += line[i]) * step]);
    }
    return points;
  }

  function drawGround(map) {
    const { step, ink, shapes, names } = data.ground;
    map.createPane("ground").style.zIndex = 250;
    map.createPane("names").style.zIndex = 300; /* below the marks */
    const renderer = L.canvas({ pane: "ground", padding: 0.5 });
    for (const [kind, packed] of shapes) {
      const lines = packed.map((line) => unpack(line, step)), style = { ...ink[kind], renderer, interactive: false };
      if (style.fill === false) L.polyline(lines, style).addTo(map);
      else lines.forEach((line) => L.polygon(line, style).addTo(map));
    }
    names.forEach(([lon, lat, name]) => L.tooltip({ permanent: true, direction: "center", className: "name",
      pane: "names", interactive: false }).setLatLng([lat, lon]).setContent(text("span", name)).addTo(map));
  }

  function drawSurface(map) {
    const { bounds, wide, high, colours, opacity, runs } = data.surface, [west, south, east, north] = bounds;
    const canvas = document.createElement("canvas");
    canvas.width = wide;
    canvas.height = high;
    const c = canvas.getContext("2d"), picture = c.createImageData(wide, high);
    const inks = colours.map((ink) => [1, 3, 5].map((i) => parseInt(ink.slice(i, i + 2), 16)));
    for (let run = 0, cell = 0; run < runs.length; run += 2) {
      for (let i = 0; i < runs[run]; i++, cell++) {
        if (runs[run + 1] >= 0) picture.data.set([...inks[runs[run + 1]], 255], 4 * cell);
      }
    }
    c.putImageData(picture, 0, 0);
    map.createPane("surface").style.zIndex = 255; /* below names and marks */
    L.svgOverlay(canvas, [[south, west], [north, east]], { pane: "surface", opacity, interactive: false }).addTo(map);
  }

  function startMap() {
    const [west, south, east, north] = data.box, box = L.latLngBounds([south, west], [north, east]);
    const map = state.map = L.map("map", { attributionControl: false, zoomControl: false, zoomSnap: 0.25, zoomAnimation: false,
      fadeAnimation: false, maxZoom: 19, maxBounds: box.pad(1), worldCopyJump: false });
    state.canvas = L.canvas({ padding: 0.3, tolerance: L.Browser.touch ? 10 : 4 });
    state.group = L.featureGroup().addTo(map);
    state.popup = L.popup({ autoPanPadding: [20, 20] });
    state.group.on("click", (event) => open(event.layer, event.layer.found && event.layer.found[0]));
    map.on("popupclose", () => state.marks.forEach((one) => { one.options.chosen = false; }));
    const end = root.dir === "rtl" ? "left" : "right"; /* the legend of a frame stands at the start */
    L.control.zoom({ position: `top${end}` }).addTo(map);
    L.control.scale({ imperial: false, position: `bottom${end}` }).addTo(map);
    const legend = document.getElementById("legend"), wide = map.getSize().x;
    const over = legend && legend.open && getComputedStyle(legend).position === "absolute" ? legend.offsetWidth : 0;
    map.fitBounds(box, { animate: false, [end === "left" ? "paddingBottomRight" : "paddingTopLeft"]:
      [over < wide / 2 ? over : 0, 0] });
    state.first = map.getZoom();
    map.setMinZoom(Math.max(0, state.first - 2));
    drawGround(map);
    if (data.surface) drawSurface(map);
    draw();
  }

  startLegend();
  startMap();
  startTable();
  window.snapshot = state;
})();
