// Switching the language keeps the place: both languages have the same anchors.
document.querySelectorAll(".lang-switch a").forEach((link) => {
  link.addEventListener("click", () => {
    link.hash = location.hash;
  });
});
