/* Draws a process where script runs; the list of steps beside it says the same without.
   <div class="diagram-canvas" data-diagram="ADDRESS">: ADDRESS answers {"xml": "…", "states": {"element": "done|running|late|cancelled"}}. */
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
    // A long process would be drawn too small to read: then it is shown larger, from where it runs now, and can be dragged.
    const fitted = board.zoom("fit-viewport", "auto");
    if (fitted < 0.6) {
      const now = Object.entries(told.states || {}).find(function (pair) { return pair[1] === "running" || pair[1] === "late"; });
      const element = now && elements.get(now[0]);
      const box = board.viewbox();
      const width = box.outer.width / 0.75, height = box.outer.height / 0.75;
      const left = element ? Math.max(box.inner.x - 20, element.x + element.width / 2 - width / 2) : box.inner.x - 20;
      board.viewbox({ x: left, y: box.inner.y + box.inner.height / 2 - height / 2, width: width, height: height });
    }
    canvas.dataset.drawn = "yes";
  }
  for (const canvas of document.querySelectorAll("[data-diagram]")) {
    draw(canvas).catch(function () { canvas.hidden = true; });
  }
})();
