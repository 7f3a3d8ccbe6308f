// A device at work: polls at its interval, and shows each poll as it comes. Without script its person presses the button.

/** Polls by the form until the device waits no more; `ready` is given each new part of the page. */
export function keepPolling(form, ready) {
  if (form) setTimeout(() => poll(form, ready), 1000 * Number(form.dataset.interval));
}

async function poll(form, ready) {
  const reply = await fetch(form.action, { method: "POST" }).catch(() => null);
  // A server that is away for a moment is asked again.
  if (!reply?.ok) return keepPolling(form, ready);
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const next = page.getElementById("poll");
  if (!next) return location.reload();
  form.dataset.interval = next.dataset.interval;
  document.getElementById("polls").textContent = page.getElementById("polls").textContent;
  // What came before stays as the reader has left it; only the step of polls is new.
  const [steps, fresh] = [document, page].map((place) => place.querySelector(".pg-steps"));
  const polls = fresh.lastElementChild;
  if (fresh.children.length === steps.children.length) steps.lastElementChild.replaceWith(polls);
  else steps.append(polls);
  ready(polls);
  keepPolling(form, ready);
}
