// @ts-check
// A form is sent once: a second press would cancel the first answer and meet an interaction that is already over.
// A page that the back button brings back is asked for again, so that the server's facts decide what it shows.

addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
