// @ts-check
// Sends the answer on to the app. Who comes back to this page with the back button has sent it already: then only the
// visible button does it again.

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("form-post"));
const [arrival] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));

// A field named "submit" would hide the form's own method.
if (form && arrival?.type !== "back_forward") HTMLFormElement.prototype.submit.call(form);

export {};
