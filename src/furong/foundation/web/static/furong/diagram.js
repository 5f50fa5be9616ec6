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
    board.zoom("fit-viewport", "auto");
    canvas.dataset.drawn = "yes";
  }
  for (const canvas of document.querySelectorAll("[data-diagram]")) {
    draw(canvas).catch(function () { canvas.hidden = true; });
  }
})();
