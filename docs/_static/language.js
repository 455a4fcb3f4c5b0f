// Switching the language keeps the place (both languages have the same anchors) and the search.
document.querySelectorAll(".lang-switch a").forEach((link) => {
  link.addEventListener("click", () => {
    link.hash = location.hash;
    link.search = location.search;
  });
});

// sphinx-copybutton has no Japanese; it makes its buttons after this deferred script has run.
if (document.documentElement.lang === "ja" && typeof messages !== "undefined") {
  messages.ja = {
    copy: "コピー",
    copy_to_clipboard: "クリップボードにコピー",
    copy_success: "コピーしました",
    copy_failure: "コピーできませんでした",
  };
  locale = "ja";
}
