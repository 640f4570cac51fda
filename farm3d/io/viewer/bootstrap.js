// Starts the viewer from the texts embedded in this page, so that it works offline and from file://.
//
// Every <script data-module="SPECIFIER"> holds one ES module that the browser does not run by itself; they
// stand in the order of their dependencies. Each becomes a blob URL, and imports of the ones before it are
// pointed there. (An import map cannot do this: relative imports have no base inside a blob.)
(async () => {
  const urls = new Map();
  const imports = /\bfrom\s*(["'])([^"'\n]+)\1/g;
  for (const element of document.querySelectorAll("script[data-module]")) {
    const source = element.textContent.replace(imports, (found, quote, specifier) =>
      urls.has(specifier) ? `from ${quote}${urls.get(specifier)}${quote}` : found,
    );
    urls.set(element.dataset.module, URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  }
  try {
    await import(urls.get("farm3d-viewer"));
  } catch (error) {
    const message = document.getElementById("viewer-message");
    message.textContent =
      "This browser cannot show the 3D view (WebGL 2 is needed). The animal itself is in the GLB file beside " +
      `this page; Blender, game engines and most 3D viewers open it. (${error.message})`;
    message.hidden = false;
    document.documentElement.dataset.viewer = "failed";
  }
})();
