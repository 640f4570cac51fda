// Makes the embedded texts of this page work, offline and from file://: the download of the GLB, the viewer.
//
// Every <script data-module="SPECIFIER"> holds one ES module that the browser does not run by itself; they
// stand in the order of their dependencies. Each becomes a blob URL, and imports of the ones before it are
// pointed there. (An import map cannot do this: relative imports have no base inside a blob.)
(async () => {
  const base64 = document.getElementById("animal-glb").textContent.trim();
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const download = document.getElementById("download-glb");
  download.href = URL.createObjectURL(new Blob([bytes], { type: "model/gltf-binary" }));
  download.hidden = false;

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
      "This browser cannot show the 3D view (WebGL 2 is needed). Download the animal instead: Blender, game " +
      `engines and most 3D viewers open the GLB. (${error.message})`;
    message.hidden = false;
    document.documentElement.dataset.viewer = "failed";
  }
})();
