// Queries of the identity API: sends what is typed to /query, and shows the answer as it is.

const [form, sample, query, variables, said, answer] = ["query-form", "sample", "query", "variables", "said", "answer"].map((id) => document.getElementById(id));

query.value = sample.value;
sample.addEventListener("change", () => (query.value = sample.value));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

async function ask() {
  let values;
  try {
    values = variables.value.trim() === "" ? {} : JSON.parse(variables.value);
  } catch {
    show("The variables are no JSON.");
    variables.focus();
    return;
  }
  said.textContent = "Asking…";
  const began = performance.now();
  try {
    const response = await fetch("/query", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: query.value, variables: values }),
    });
    const told = await response.json();
    const what = told.errors || !response.ok ? "Refused" : "Answered";
    show(`${what} after ${Math.round(performance.now() - began)} ms.`, JSON.stringify(told, null, 2));
  } catch (problem) {
    show(`There is no answer: ${problem.message}`);
  }
}

function show(words, text) {
  said.textContent = words;
  answer.hidden = text === undefined;
  answer.textContent = text ?? "";
}
