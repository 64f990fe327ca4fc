"use strict";

// The vendor's viewer, pointed at our document.
SwaggerUIBundle({
  url: document.getElementById("api").dataset.document,
  domNode: document.getElementById("api"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});
