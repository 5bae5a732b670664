/* The live part of the map: asks the app for what the view shows, and draws what comes.
 *
 * Written for Leaflet 1.9, no other dependency. The page draws the map once; after that only
 *   Commonsight.choose({...})   the page has chosen something else (called by layers/choice.py)
 *   moveend, a timer, a click   here in the browser
 * change what is seen, so that pan, zoom and refresh cost no rerun and lose no viewport.
 * Text of strangers is only ever set as textContent.
 *
 * A layer is drawn by its kind (layers/__init__.py) from what /api/<source> answers. Every answer has title
 * and version; and, if it likes, heading (instead of the layer's title), note (said under the legend), more
 * (sentences: how it was made), labels (of the signs, in their order; an empty one leaves its sign out) and
 * refused (a sentence instead of a drawing). Besides:
 *   marks   sites or cells, see layers/picture.py
 *   grid    bounds [west, south, east, north], width, height, codes: row by row from the north, -1 for nothing
 *           known; rows are equal steps of Web Mercator
 *   points  lon, lat, code, label (what stands in the mark), name, lines, and id where a click opens a site
 *   shapes  features: GeoJSON with properties code, name, lines; total: how many of each code
 */
(function () {
  "use strict";
  if (window.Commonsight) return;

  const state = { map: null, setup: null, choice: null, overlays: [], turn: 0, waiting: null };

  /* Surfaces and areas let the map shine through. */
  const OPACITY = 0.55;

  /* ---- shapes: colour is never the only sign ------------------------------------------- */

  const SHAPES = {
    circle: (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
    ring: (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
    question: (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
    square: (c, x, y, r) => c.rect(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r),
    triangle: (c, x, y, r) => corners(c, x, y, 1.2 * r, [-90, 30, 150]),
    triangle_down: (c, x, y, r) => corners(c, x, y, 1.2 * r, [90, 210, 330]),
    diamond: (c, x, y, r) => corners(c, x, y, 1.25 * r, [-90, 0, 90, 180]),
    cross: (c, x, y, r) => corners(c, x, y, 1.2 * r, [-75, -15, 15, 75, 105, 165, 195, 255]),
    patch: (c, x, y, r) => c.rect(x - 1.3 * r, y - r, 2.6 * r, 2 * r),
  };

  function corners(c, x, y, r, degrees) {
    degrees.forEach((degree, i) => {
      const angle = (degree * Math.PI) / 180;
      c[i ? "lineTo" : "moveTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
    });
    c.closePath();
  }

  function trace(c, style, x, y, r) {
    c.beginPath();
    (SHAPES[style.shape] || SHAPES.circle)(c, x, y, r);
  }

  function hollow(style) {
    return style.shape === "ring" || style.shape === "question";
  }

  function glyph(c, style, x, y, r) {
    trace(c, style, x, y, r);
    c.fillStyle = hollow(style) ? "#ffffff" : style.colour;
    c.strokeStyle = hollow(style) ? style.colour : "#ffffff";
    c.lineWidth = hollow(style) ? Math.max(1.5, r / 3) : 1.2;
    c.globalAlpha = 1;
    c.fill();
    c.stroke();
    if (style.shape === "question") {
      c.fillStyle = style.colour;
      c.font = `bold ${Math.round(1.7 * r)}px sans-serif`;
      c.textAlign = "center";
      c.textBaseline = "middle";
      c.fillText("?", x, y + 0.5);
    }
  }

  function defineMarks() {
    /* One site: its status as colour and shape; pale when the reading is old. */
    state.Mark = L.CircleMarker.extend({
      _updatePath() {
        const renderer = this._renderer;
        if (!renderer._drawing || this._empty()) return;
        const c = renderer._ctx, point = this._point, radius = this.options.radius;
        c.save();
        if (this.options.chosen) {
          c.beginPath();
          c.arc(point.x, point.y, radius + 6, 0, 2 * Math.PI);
          c.strokeStyle = "#111111";
          c.lineWidth = 2.5;
          c.stroke();
        }
        glyph(c, this.options.style, point.x, point.y, radius);
        if (this.options.pale) {
          c.beginPath();
          c.arc(point.x, point.y, 1.8, 0, 2 * Math.PI);
          c.fillStyle = hollow(this.options.style) ? this.options.style.colour : "#ffffff";
          c.fill();
        }
        c.restore();
      },
    });
    /* A place of a list that people take along: its number stands in it. */
    state.Numbered = state.Mark.extend({
      _updatePath() {
        state.Mark.prototype._updatePath.call(this);
        const renderer = this._renderer;
        if (!renderer._drawing || this._empty()) return;
        const c = renderer._ctx, radius = this.options.radius;
        c.save();
        c.fillStyle = "#ffffff";
        c.font = `bold ${Math.round(1.15 * radius)}px sans-serif`;
        c.textAlign = "center";
        c.textBaseline = "middle";
        c.fillText(this.options.label, this._point.x, this._point.y + 0.5);
        c.restore();
      },
    });
    /* A square of many sites, or the square that stands for hidden household wells. */
    state.Cell = L.Rectangle.extend({
      _updatePath() {
        L.Rectangle.prototype._updatePath.call(this);
        const renderer = this._renderer;
        if (!renderer._drawing || !this._pxBounds || !this._parts.length) return;
        const ring = this._rings[0];
        const west = Math.min(...ring.map((p) => p.x)), east = Math.max(...ring.map((p) => p.x));
        const north = Math.min(...ring.map((p) => p.y)), south = Math.max(...ring.map((p) => p.y));
        const c = renderer._ctx, size = Math.min(east - west, south - north);
        c.save();
        glyph(c, this.options.style, (west + east) / 2, (north + south) / 2,
          Math.max(3, Math.min(size * 0.3, 9)));
        c.restore();
      },
    });
  }

  /* ---- one layer of the map ---------------------------------------------------------------- */

  function overlay(spec) {
    const group = L.featureGroup();
    const tip = L.tooltip({ direction: "top", offset: [0, -8], className: "cs-tip" });
    group.on("mouseover", (event) => {
      tip.setLatLng(event.latlng).setContent(describe(event.layer.options.about)).addTo(state.map);
    });
    group.on("mouseout", () => tip.remove());
    group.on("click", (event) => {
      L.DomEvent.stop(event);
      tip.remove();
      if (spec.kind === "shapes") return void tellPlace(event, event.layer.options.about);
      picked(event.layer.options.about, event.latlng);
    });
    return Object.assign({ group, tip, drawn: null }, spec);
  }

  function text(tag, words, parent) {
    const element = document.createElement(tag);
    element.textContent = words;
    if (parent) parent.appendChild(element);
    return element;
  }

  function describe(about) {
    const box = document.createElement("div");
    text("strong", about.title, box);
    about.lines.filter(Boolean).forEach((line) => text("div", line, box));
    return box;
  }

  function picked(about, latlng) {
    if (about.bounds) {
      state.map.fitBounds(about.bounds, { maxZoom: state.map.getZoom() + 3 });
      return;
    }
    if (!about.id) return;
    state.choice.site = about.id;
    state.overlays.forEach((one) => one.group.eachLayer((mark) => {
      if (mark.options.about && mark instanceof state.Mark) {
        mark.options.chosen = mark.options.about.id === about.id;
      }
    }));
    state.canvas._redrawBounds = null;
    state.canvas._redraw();
    /* st_folium hears only layers that were there at the start: speak through one that was. */
    state.proxy.setTooltipContent(encodeURIComponent(about.id));
    state.proxy.fire("click", { latlng, sourceTarget: state.proxy });
  }

  function address(one) {
    const map = state.map, zoom = Math.round(map.getZoom());
    const box = map.getBounds().pad(0.05);
    /* Snapped to half tiles, so that neighbours in view and visitors share one answer. */
    const step = 360 / Math.pow(2, zoom) / 2;
    const clip = (value, limit) => Math.max(-limit, Math.min(limit, value));
    const west = clip(Math.floor(box.getWest() / step) * step, 180);
    const east = clip(Math.ceil(box.getEast() / step) * step, 180);
    const flat = step / 2;
    const south = clip(Math.floor(box.getSouth() / flat) * flat, 90);
    const north = clip(Math.ceil(box.getNorth() / flat) * flat, 90);
    const bbox = [west, south, east, north].map((value) => +value.toFixed(6)).join(",");
    return `${state.setup.api}${one.source}?${state.choice.query}&${one.params || ""}&bbox=${bbox}&zoom=${zoom}`
      .replace("&&", "&");
  }

  async function ask(url) {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error || answer.statusText);
    body.etag = answer.headers.get("ETag");
    return body;
  }

  async function draw() {
    if (state.topic === undefined || !state.map._loaded) return;
    const mine = ++state.turn, answers = new Map();
    const shown = state.overlays.filter((one) => state.map.hasLayer(one.group));
    let failed = "";
    for (const one of shown) { /* all are asked at once: a slow one holds up no other */
      const url = address(one);
      if (!answers.has(url)) answers.set(url, ask(url));
      answers.get(url).catch(() => {}); /* told below, when its turn comes */
      one.url = url;
    }
    for (const one of shown) {
      try {
        const answer = await answers.get(one.url);
        if (mine !== state.turn) return; /* the view moved on: a newer answer is on its way */
        const stamp = `${one.url} ${answer.etag} ${state.choice.site}`;
        if (one.drawn !== stamp) paint(one, answer);
        one.drawn = stamp;
        one.answer = answer;
        see(answer.version);
      } catch (failure) {
        if (mine !== state.turn) return;
        clear(one);
        failed = failed || `${state.setup.words.failed} ${failure.message}`;
      }
      legend(shown);
    }
    if (!shown.length) legend(shown);
    if (!failed) tellNews(shown);
    say(failed || (shown.length ? "" : state.setup.words.no_layer));
    if (!failed) state.settled = (state.settled || 0) + 1;
  }

  /* What came since the page was opened, for what is in view: asked only once the data have moved. */
  async function tellNews(shown) {
    const first = shown.find((one) => one.answer && one.kind === "marks");
    if (!first || state.choice.query.includes("as_of=")) return showNews(null);
    const version = first.answer.version;
    if (state.opened === undefined) state.opened = version;
    if (version <= state.opened) return showNews(null);
    const url = `${first.url.replace(/\/api\/[^?]*/, "/api/new")}&seen=${state.opened}`;
    try {
      const mine = state.turn, told = await ask(url);
      if (mine === state.turn) showNews(told);
    } catch (failure) { /* the map itself is fine */ }
    return undefined;
  }

  function showNews(told) {
    if (!state.news) {
      const control = L.control({ position: "topright" });
      control.onAdd = () => (state.news = L.DomUtil.create("div", "cs-note cs-news leaflet-bar"));
      control.addTo(state.map);
      state.news.setAttribute("role", "status");
      L.DomEvent.disableClickPropagation(state.news);
    }
    const lines = told && told.sites ? [state.setup.words.new_since,
      state.setup.words.new_readings.replace("{n}", told.sites.toLocaleString()),
      ...(told.above ? [state.setup.words.new_above.replace("{n}", told.above.toLocaleString())] : [])] : [];
    if (state.news.dataset.said === lines.join("|")) return;
    state.news.dataset.said = lines.join("|");
    state.news.replaceChildren();
    lines.forEach((line, i) => text(i ? "div" : "b", line, state.news));
    state.news.style.display = lines.length ? "block" : "none";
    if (!lines.length) return;
    const done = text("button", "×", state.news); /* seen: from now on only what comes after */
    done.title = state.setup.words.new_done;
    done.setAttribute("aria-label", state.setup.words.new_done);
    done.onclick = () => { state.opened = told.version; showNews(null); };
  }

  /* What this browser saw last, for "what changed since my last visit". */
  function see(version) {
    const seen = `commonsight_seen=${version}.${new Date().toISOString().slice(0, 10)}`;
    if (seen === state.seen || state.choice.query.includes("as_of=")) return;
    state.seen = seen;
    try {
      document.cookie = `${seen}; path=/; max-age=31536000; SameSite=Lax`;
    } catch (refused) { /* then there is no last visit */ }
  }

  function soon() {
    clearTimeout(state.waiting);
    state.waiting = setTimeout(draw, 40);
  }

  /* What a layer shows no longer holds: nothing is better than something old. */
  function clear(one) {
    one.tip.remove();
    one.group.clearLayers();
    one.drawn = one.answer = null;
  }

  function paint(one, answer) {
    const made = answer.refused ? [] : { marks, grid, points, shapes: areas }[one.kind](one, answer);
    one.tip.remove();
    one.group.clearLayers();
    for (let i = made.length - 1; i >= 0; i--) one.group.addLayer(made[i]); /* worst on top */
    if (one.kind === "shapes") made.forEach((shape) => shape.bringToBack());
    else if (one.kind !== "grid") state.overlays.filter((other) => other.kind === "points")
      .forEach((other) => other.group.bringToFront());
  }

  function marks(one, answer) {
    const made = [], styles = one.signs;
    const codes = answer[one.paint];
    const common = { renderer: state.canvas, bubblingMouseEvents: false };
    for (let i = 0; i < codes.length; i++) {
      const style = styles[codes[i]];
      if (!style) continue;
      const about = aboutOf(answer, i);
      if (answer.kind === "cells" || answer.area[i]) {
        const corners = boundsOf(answer, i);
        if (answer.kind === "cells") about.bounds = corners;
        made.push(new state.Cell(corners, { ...common, style, about, color: style.colour, weight: 1,
          opacity: 0.8, fillColor: style.colour, fillOpacity: answer.kind === "cells" ? 0.4 : 0.18 }));
      } else {
        made.push(new state.Mark([answer.lat[i], answer.lon[i]], { ...common, style, about,
          radius: style.radius, pale: answer.stale[i], chosen: about.id === state.choice.site }));
      }
    }
    return made;
  }

  /* A surface: one small picture, stretched. Its rows are equal steps of Web Mercator, as the map's are. */
  function grid(one, answer) {
    if (!answer.codes || !answer.codes.length) return [];
    const canvas = document.createElement("canvas"), [west, south, east, north] = answer.bounds;
    canvas.width = answer.width;
    canvas.height = answer.height;
    const c = canvas.getContext("2d"), picture = c.createImageData(answer.width, answer.height);
    const colours = one.signs.map((style) => [1, 3, 5].map((i) => parseInt(style.colour.slice(i, i + 2), 16)));
    answer.codes.forEach((code, i) => {
      if (colours[code]) picture.data.set([...colours[code], 255], 4 * i); /* -1: nothing is known there */
    });
    c.putImageData(picture, 0, 0);
    return [L.imageOverlay(canvas.toDataURL(), [[south, west], [north, east]], { pane: "surface",
      opacity: OPACITY, interactive: false, className: "cs-grid" })];
  }

  /* The sign of a surface at one place, for whoever asks for it with a click. */
  function signAt(one, place) {
    const answer = one.answer;
    if (one.kind !== "grid" || !answer || !answer.bounds || answer.refused) return null;
    const [west, south, east, north] = answer.bounds, flat = (lat) => L.Projection.SphericalMercator
      .project(L.latLng(lat, 0)).y;
    const column = Math.floor((place.lng - west) / (east - west) * answer.width);
    const row = Math.floor((flat(north) - flat(place.lat)) / (flat(north) - flat(south)) * answer.height);
    if (column < 0 || row < 0 || column >= answer.width || row >= answer.height) return null;
    return one.signs[answer.codes[row * answer.width + column]] || null;
  }

  function points(one, answer) {
    return answer.lon.map((lon, i) => {
      const style = one.signs[answer.code[i]] || one.signs[0];
      const about = { id: answer.id ? answer.id[i] : null, title: answer.name[i], lines: answer.lines[i] };
      return new state.Numbered([answer.lat[i], lon], { renderer: state.canvas, bubblingMouseEvents: false,
        style, about, label: String(answer.label[i]), radius: style.radius });
    });
  }

  function areas(one, answer) {
    const made = [];
    L.geoJSON({ type: "FeatureCollection", features: answer.features || [] }, {
      renderer: state.canvas, /* the marks' own canvas: one that lay below would hear no mouse */
      style: (feature) => {
        const style = one.signs[feature.properties.code];
        return { color: "#4a4a4a", weight: 1.2, opacity: 0.9, fillColor: style ? filling(style) : "#ffffff",
          fillOpacity: style ? OPACITY : 0.05 };
      },
      onEachFeature: (feature, shape) => {
        shape.options.about = { title: feature.properties.name || "", lines: feature.properties.lines || [] };
        made.push(shape);
      },
    });
    return made;
  }

  /* What cannot be told is hatched, so that it looks like no class of a scale. */
  function filling(style) {
    if (style.shape !== "hatched") return style.colour;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const c = tile.getContext("2d");
    c.strokeStyle = style.colour;
    c.lineWidth = 1.2;
    for (const shift of [-8, 0, 8]) {
      c.moveTo(shift - 1, 9);
      c.lineTo(shift + 9, -1);
    }
    c.stroke();
    return c.createPattern(tile, "repeat");
  }

  function boundsOf(answer, i) {
    if (answer.kind === "cells") {
      const k = answer.k, x = answer.x[i], y = answer.y[i];
      return [[parallel((y + 1) / k), (x / k) * 360 - 180], [parallel(y / k), ((x + 1) / k) * 360 - 180]];
    }
    const [wide, high] = answer.area[i], lat = answer.lat[i], lon = answer.lon[i];
    return [[lat - high, lon - wide], [lat + high, lon + wide]];
  }

  /* Latitude of a fraction of the Web-Mercator square, counted from its north edge. */
  function parallel(y) {
    return (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  }

  /* What the classes of marks mean for this limit, e.g. "outside the range"; else as the signs say. */
  function wording(answer, paint) {
    return (answer.labels || {})[paint];
  }

  // The words of a status in the reader's language, where its catalogue has them.
  const inWords = (label) => state.setup.words[label] || label;

  function aboutOf(answer, i) {
    const words = state.setup.words;
    const signs = state.overlays.find((one) => one.paint === "status").signs;
    const names = (wording(answer, "status") || signs.map((style) => style.label)).map(inWords);
    if (answer.kind === "cells") {
      const counts = signs
        .map((style, code) => [names[code], answer.counts[code][i]])
        .filter((pair) => pair[1]);
      return { title: `${answer.n[i]} ${words.sites}`,
        lines: [...counts.map((pair) => `${pair[1]} ${pair[0]}`), words.come_closer] };
    }
    return { id: answer.id[i], title: answer.name[i] || answer.id[i], lines: [
      [answer.result[i], names[answer.status[i]]].filter(Boolean).join(" · "),
      answer.n[i] > 1 && answer.area && answer.area[i] ? `${answer.n[i]} ${words.hidden_sites}` : "",
      answer.time[i] + (answer.stale[i] ? ` · ${words.old}` : ""),
    ] };
  }

  /* ---- legend, messages, coordinates --------------------------------------------------------- */

  function sign(style, kind) {
    const canvas = document.createElement("canvas"), scale = window.devicePixelRatio || 1;
    canvas.width = canvas.height = 20 * scale;
    canvas.style.width = canvas.style.height = "20px";
    const c = canvas.getContext("2d");
    c.scale(scale, scale);
    if (kind === "grid" || kind === "shapes") { /* as pale as on the map */
      trace(c, { shape: "patch" }, 10, 10, 7);
      c.fillStyle = "#fbfaf6";
      c.fill();
      c.globalAlpha = OPACITY;
      c.fillStyle = filling(style);
      c.fill();
      c.globalAlpha = 1;
      c.strokeStyle = "#4a4a4a";
      c.lineWidth = 0.6;
      c.stroke();
    } else glyph(c, style, 10, 10, 6.5);
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }

  /* One block for each visible layer; two layers with the same signs need only one. */
  function legend(shown) {
    const first = shown.find((one) => one.answer), seen = new Set();
    const blocks = shown.filter((one) => {
      const key = one.kind === "marks" ? one.paint : one.key;
      return !seen.has(key) && seen.add(key);
    });
    /* What was switched on to be read stands first; the sites are known. */
    blocks.sort((a, b) => (a.kind === "marks") - (b.kind === "marks"));
    state.legend.querySelector(".cs-blocks").replaceChildren(
      ...blocks.map((one) => block(one, blocks.length > 1 || one.kind !== "marks")));
    if (first) {
      state.legend.querySelector("summary").textContent =
        `${first.answer.title} (${state.setup.words.in_view})`;
    }
  }

  function block(one, named) {
    const box = document.createElement("div"), answer = one.answer;
    box.className = "cs-block";
    box.dataset.layer = one.key;
    if (named) text("b", (answer && answer.heading) || one.title, box);
    if (!answer) {
      text("small", "…", box);
      return box;
    }
    if (answer.refused) {
      text("p", answer.refused, box).className = "cs-refused";
      return box;
    }
    const list = box.appendChild(document.createElement("table"));
    const total = one.kind === "marks" ? answer.total[one.paint] : answer.total;
    const labels = ((one.kind === "marks" ? wording(answer, one.paint) : answer.labels)
      || one.signs.map((style) => style.label)).map(inWords);
    one.signs.forEach((style, code) => {
      if (!labels[code]) return;
      const row = list.insertRow();
      if (one.kind === "grid" || one.kind === "shapes") row.className = "cs-fill";
      row.insertCell().appendChild(sign(style, one.kind));
      row.insertCell().textContent = labels[code];
      if (total) row.insertCell().textContent = (total[code] || 0).toLocaleString();
    });
    const usual = answer.kind === "cells" ? state.setup.words.cells_note : state.setup.words.sites_note;
    text("small", one.kind === "marks" ? usual : answer.note || "", box);
    if (answer.more) {
      const more = box.appendChild(document.createElement("details"));
      more.open = Boolean(one.open);
      more.ontoggle = () => { one.open = more.open; };
      text("summary", state.setup.words.how, more);
      answer.more.forEach((sentence) => text("small", sentence, more));
    }
    return box;
  }

  function addLegend(map) {
    const control = L.control({ position: "bottomleft" });
    control.onAdd = () => {
      const box = L.DomUtil.create("details", "cs-legend leaflet-bar");
      box.open = map.getSize().x > 500;
      text("summary", state.setup.words.legend, box);
      box.appendChild(document.createElement("div")).className = "cs-blocks";
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(box);
      state.legend = box;
      return box;
    };
    control.addTo(map);
  }

  function say(words) {
    if (!state.note) {
      const control = L.control({ position: "topright" });
      control.onAdd = () => (state.note = L.DomUtil.create("div", "cs-note leaflet-bar"));
      control.addTo(state.map);
      state.note.setAttribute("role", "status");
    }
    state.note.textContent = words;
    state.note.style.display = words ? "block" : "none";
  }

  function tellPlace(event, about) {
    const place = event.latlng.wrap(), box = document.createElement("div");
    if (about) box.appendChild(describe(about));
    text("div", `${place.lat.toFixed(5)}, ${place.lng.toFixed(5)}`, box);
    state.overlays.filter((one) => state.map.hasLayer(one.group)).forEach((one) => {
      const style = signAt(one, event.latlng);
      const label = style && ((one.answer.labels || [])[one.signs.indexOf(style)] || style.label);
      if (style) text("div", `${one.answer.heading || one.title}: ${label}`, box);
    });
    L.popup({ closeButton: true, className: "cs-tip" })
      .setLatLng(event.latlng)
      .setContent(box)
      .openOn(state.map);
  }

  /* ---- basemaps -------------------------------------------------------------------------------- */

  async function shapes(url, style, layer, renderer) {
    try {
      const body = await (await fetch(url)).json();
      L.geoJSON(body, {
        interactive: false,
        renderer,
        style: (feature) => ({ ...style, ...(state.setup.shapes[feature.properties.kind] || {}) }),
        pointToLayer: (feature, place) => L.circleMarker(place, { renderer,
          interactive: false, radius: 3, weight: 1, color: "#666666", fillColor: "#ffffff",
          fillOpacity: 1 }),
        onEachFeature: (feature, shape) => {
          if (!state.setup.named.includes(feature.properties.kind)) return;
          const name = (feature.properties.name || "").replace(" (simulated)", ""); /* the page says so */
          shape.bindTooltip(text("span", name),
            { permanent: true, direction: "center", className: "cs-place", interactive: false });
        },
        attribution: body.attribution || "",
      }).addTo(layer);
    } catch (failure) {
      console.warn("basemap", failure);
    }
  }

  function tiles(spec) {
    return L.tileLayer(spec.url, { attribution: spec.attribution, minZoom: 0,
      maxNativeZoom: spec.max_zoom || 19, maxZoom: 19 });
  }

  function basemaps(map, setup) {
    const bases = {}, outlines = L.layerGroup();
    shapes(setup.outlines.url, setup.outlines.style, outlines, state.ground);
    bases[setup.outlines.title] = outlines;
    if (setup.tiles) bases[setup.tiles.title] = tiles(setup.tiles);
    /* Nothing of OpenStreetMap's is asked for before the visitor has said yes. */
    const foreign = L.layerGroup();
    bases[setup.osm.title] = foreign;
    map.on("baselayerchange", (event) => {
      if (event.layer === foreign) consent(setup.osm, foreign, outlines);
      else remember(event.layer === outlines ? "outlines" : "tiles");
    });
    const kept = recall();
    const first = kept === "osm" ? foreign : kept === "outlines" || !setup.tiles ? outlines
      : bases[setup.tiles.title];
    if (kept === "osm") foreign.addLayer(tiles(setup.osm));
    first.addTo(map);
    return bases;
  }

  function remember(base) {
    try { localStorage.setItem("commonsight-basemap", base); } catch (refused) { /* private mode */ }
  }

  function recall() {
    try { return localStorage.getItem("commonsight-basemap"); } catch (refused) { return null; }
  }

  function consent(osm, foreign, outlines) {
    if (foreign.getLayers().length) return remember("osm");
    const box = L.DomUtil.create("div", "cs-consent", state.map.getContainer());
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", osm.title);
    text("p", osm.question, box);
    const yes = text("button", osm.yes, box), no = text("button", osm.no, box);
    L.DomEvent.disableClickPropagation(box);
    yes.onclick = () => { box.remove(); foreign.addLayer(tiles(osm)); remember("osm"); };
    no.onclick = () => {
      box.remove();
      state.map.removeLayer(foreign);
      state.map.addLayer(outlines);
    };
    yes.focus();
    return undefined;
  }

  /* ---- what the page chose ------------------------------------------------------------------ */

  async function choose(choice) {
    state.choice = choice;
    if (!state.map) return;
    named(choice.alt);
    await styled();
    if (choice !== state.choice) return; /* chosen again meanwhile */
    if (state.topic !== choice.topic) {
      look(state.topic === undefined && choice.box, choice.area);
      state.topic = choice.topic;
      state.places.clearLayers();
      if (choice.places) shapes(choice.places, state.setup.outlines.style, state.places, state.above);
    }
    clearInterval(state.timer);
    if (choice.refresh) {
      state.timer = setInterval(() => { if (!document.hidden) draw(); }, choice.refresh * 1000);
    }
    soon();
  }

  /* What the map says in words, for whoever does not see it. */
  function named(alt) {
    const box = state.map.getContainer();
    if (!alt) return box.removeAttribute("aria-label");
    box.setAttribute("role", "region");
    return box.setAttribute("aria-label", alt);
  }

  /* Style sheets come when they come, and a map without its own has the wrong size. */
  async function styled() {
    const box = state.map.getContainer();
    for (let tries = 0; tries < 100 && getComputedStyle(box).overflow !== "hidden"; tries++) {
      await new Promise((go) => setTimeout(go, 20));
    }
    state.map.invalidateSize({ animate: false });
  }

  function look(exactly, area) {
    const [west, south, east, north] = exactly || area;
    /* Beside the legend, not under it, where there is room. */
    const aside = !exactly && state.legend.open && state.map.getSize().x > 600 ? 190 : 0;
    state.map.fitBounds([[south, west], [north, east]], { animate: false, paddingTopLeft: [aside, 0] });
  }

  /* The part of the address that only the browser knows: where the map looks. */
  function keepAddress() {
    try {
      if (state.topic === undefined) return;
      const page = new URL(window.parent.location.href), box = state.map.getBounds();
      const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()]
        .map((value) => value.toFixed(4)).join(",");
      const zoom = String(Math.round(state.map.getZoom()));
      if (page.searchParams.get("bbox") === bbox && page.searchParams.get("zoom") === zoom) return;
      page.searchParams.set("bbox", bbox);
      page.searchParams.set("zoom", zoom);
      window.parent.history.replaceState(window.parent.history.state, "",
        page.href.replace(/%2C/gi, ","));
    } catch (refused) { /* the page is embedded elsewhere: its address is not ours */ }
  }

  /* Streamlit sends the address as it last read it. Before a button that asks where the map looks is pressed,
     by finger or key, it is told to read the address again. */
  const ASKS_WHERE = ".st-key-map_publish, .st-key-map_look";

  function tellAddress(event) {
    if (!event.target.closest || !event.target.closest(ASKS_WHERE)) return;
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    keepAddress();
    window.parent.dispatchEvent(new PopStateEvent("popstate", { state: window.parent.history.state }));
  }

  function listenForPress() {
    try {
      const page = window.parent.document;
      for (const kind of ["pointerdown", "keydown"]) {
        page.addEventListener(kind, tellAddress, true);
        window.addEventListener("pagehide", () => page.removeEventListener(kind, tellAddress, true));
      }
    } catch (refused) { /* the page is embedded elsewhere */ }
  }

  function start(map, setup) {
    state.map = map;
    state.setup = setup;
    defineMarks();
    map.attributionControl.setPrefix(false);
    map.createPane("ground").style.zIndex = 250;
    map.createPane("surface").style.zIndex = 255; /* an estimate lies under rivers, names and marks */
    map.createPane("places").style.zIndex = 260; /* rivers lie on the land, whichever comes first */
    state.ground = L.canvas({ pane: "ground", padding: 0.5 });
    state.above = L.canvas({ pane: "places", padding: 0.5 });
    state.canvas = L.canvas({ padding: 0.3, tolerance: L.Browser.touch ? 10 : 4 });
    state.places = L.layerGroup().addTo(map);
    state.proxy = L.circleMarker([0, 0], { radius: 0, opacity: 0, fillOpacity: 0 })
      .bindTooltip("").addTo(map);
    const overlays = {};
    state.overlays = setup.layers.map(overlay);
    state.overlays.forEach((one) => {
      overlays[one.title] = one.group;
      if (one.shown) one.group.addTo(map);
    });
    const bases = basemaps(map, setup);
    addLegend(map);
    L.control.layers(bases, overlays, { collapsed: true }).addTo(map);
    map.on("moveend overlayadd overlayremove", soon);
    map.on("click", (event) => tellPlace(event));
    map.whenReady(() => setInterval(keepAddress, 1000));
    listenForPress();
    if (state.choice) choose(state.choice);
  }

  window.Commonsight = { start, choose, state };
})();
