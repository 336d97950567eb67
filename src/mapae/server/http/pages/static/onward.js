// What the reader would do next, done for them: submits the form, or follows the link, that is marked "onward".
"use strict";
const PATIENCE_MS = 5000; // for frames that do not load

const onward = document.querySelector("[data-onward]");
if (onward instanceof HTMLFormElement) {
  HTMLFormElement.prototype.submit.call(onward); // a field may be named "submit"
} else if (onward) {
  const go = () => location.replace(onward.href);
  addEventListener("load", go);
  setTimeout(go, PATIENCE_MS);
}
