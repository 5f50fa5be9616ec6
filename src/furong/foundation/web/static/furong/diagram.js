/* Draws a process where script runs; the list of steps beside it says the same without.
   <div class="diagram-canvas" data-diagram="ADDRESS">: ADDRESS answers {"xml": "…", "states": {"element": "done|running|late|cancelled"}}.
   For a heat map also "heat": {"element": {"level": 1–5, "badge": "12"}}, "flows": {"flow": "12"}, "stuck": ["element"]. */
(function () {
  "use strict";
  async function draw(canvas) {
    const answer = await fetch(canvas.dataset.diagram, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) { return; }
    const told = await answer.json();
    canvas.hidden = false;
    const viewer = new window.BpmnJS({ container: canvas });
    await viewer.importXML(told.xml);
    const board = viewer.get("canvas");
    const elements = viewer.get("elementRegistry");
    for (const [element, state] of Object.entries(told.states || {})) {
      if (elements.get(element)) { board.addMarker(element, state); }
    }
    const overlays = viewer.get("overlays");
    function badge(words, kind) {
      const shown = document.createElement("span");
      shown.className = "badge-" + kind;
      shown.textContent = words;
      return shown;
    }
    for (const [element, heat] of Object.entries(told.heat || {})) {
      if (!elements.get(element)) { continue; }
      board.addMarker(element, "heat-" + heat.level);
      if (heat.badge) { overlays.add(element, { position: { top: -11, right: 14 }, html: badge(heat.badge, "heat") }); }
    }
    for (const element of told.stuck || []) {
      if (elements.get(element)) { overlays.add(element, { position: { bottom: 11, left: -8 }, html: badge("!", "stuck") }); }
    }
    for (const [flow, words] of Object.entries(told.flows || {})) {
      const found = elements.get(flow);
      if (!found || !found.waypoints) { continue; }
      const first = found.waypoints[0], second = found.waypoints[1];
      const left = Math.min.apply(null, found.waypoints.map(function (point) { return point.x; }));
      const top = Math.min.apply(null, found.waypoints.map(function (point) { return point.y; }));
      const spot = { left: (first.x + second.x) / 2 - left - 8, top: (first.y + second.y) / 2 - top - 9 };
      overlays.add(flow, { position: spot, html: badge(words, "flow") });
    }
    // A long process would be drawn too small to read: then it is shown larger, from where it runs now, and can be dragged.
    const fitted = board.zoom("fit-viewport", "auto");
    if (fitted < 0.6) {
      const now = Object.entries(told.states || {}).find(function (pair) { return pair[1] === "running" || pair[1] === "late"; });
      const element = now && elements.get(now[0]);
      const box = board.viewbox();
      const width = box.outer.width / 0.75, height = box.outer.height / 0.75;
      const left = element ? Math.max(box.inner.x - 20, element.x + element.width / 2 - width / 2) : box.inner.x - 20;
      board.viewbox({ x: left, y: box.inner.y + box.inner.height / 2 - height / 2, width: width, height: height });
    } else if (told.heat) {
      // Badges stand out over the edges of what they are on.
      const box = board.viewbox(), ratio = box.outer.height / box.outer.width;
      const width = Math.max(box.inner.width + 60, (box.inner.height + 60) / ratio), height = width * ratio;
      const left = box.inner.x + box.inner.width / 2 - width / 2, top = box.inner.y + box.inner.height / 2 - height / 2;
      board.viewbox({ x: left, y: top, width: width, height: height });
    }
    canvas.dataset.drawn = "yes";
  }
  for (const canvas of document.querySelectorAll("[data-diagram]")) {
    draw(canvas).catch(function () { canvas.hidden = true; });
  }
})();
