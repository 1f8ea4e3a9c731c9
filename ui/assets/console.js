// Citation buttons, the way back, choices, and copying. One listener on the document: Gradio replaces the columns.
"use strict";

function calm() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}

function showCitation(number) {
  const quote = document.getElementById(`cite-${number}`);
  const card = quote && quote.closest(".pd-card");
  if (!card) return;
  document.querySelectorAll(".pd-active").forEach((mark) => mark.classList.remove("pd-active"));
  card.querySelectorAll("mark").forEach((mark) => {
    if (mark.dataset.cites.split(" ").includes(number)) mark.classList.add("pd-active");
  });
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "start", behavior: calm() });
  const below = quote.getBoundingClientRect().top - card.getBoundingClientRect().top > window.innerHeight * 0.7;
  if (below) quote.scrollIntoView({ block: "center", behavior: calm() });
}

function showSentence(number) {
  const button = document.querySelector(`.pd-cite[data-cite="${number}"]`);
  if (!button) return;
  button.focus({ preventScroll: true });
  button.scrollIntoView({ block: "center", behavior: calm() });
}

// navigator.clipboard exists on https and localhost only; a hotline's intranet is often plain http.
async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return true;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

async function copyAnswer(button) {
  const text = button.parentElement.querySelector(".pd-copy-text").value;
  const copied = await copyText(text).catch(() => false);
  button.focus({ preventScroll: true });
  button.textContent = copied ? "已复制" : "复制失败，请手动选择";
  setTimeout(() => { button.textContent = "复制答案"; }, 2000);
}

// A choice that the answer offers is asked as the next question.
function choose(choice) {
  const question = document.querySelector("#pd-question textarea");
  question.value = choice;
  question.dispatchEvent(new Event("input", { bubbles: true }));
  question.focus();
  document.querySelector("#pd-submit").click();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-cite], [data-back], [data-copy], [data-choice]");
  if (!button) return;
  if (button.dataset.choice) choose(button.dataset.choice);
  else if (button.dataset.cite) showCitation(button.dataset.cite);
  else if (button.dataset.back) showSentence(button.dataset.back);
  else copyAnswer(button);
});

// The page is designed light; Gradio would follow the system into dark. Its radio buttons have a name
// each, and only with one name do the arrow keys walk them as a group. A screen reader hears a new
// answer, and on a narrow screen the answer scrolls into view.
new MutationObserver((changes) => {
  if (document.body.classList.contains("dark")) document.body.classList.remove("dark");    // else it would call itself
  document.querySelectorAll("#pd-region input:not([name=pd-region])").forEach((radio) => {
    radio.name = "pd-region";
  });
  const column = document.getElementById("pd-answer");
  if (!column) return;
  if (!column.hasAttribute("aria-live")) column.setAttribute("aria-live", "polite");
  const fresh = changes.some((change) => column.contains(change.target)
    && [...change.addedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE
      && node.matches(".pd-answer, .pd-message")));
  if (fresh && window.innerWidth < 720) {
    column.scrollIntoView({ block: "start", behavior: calm() });
  }
}).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
