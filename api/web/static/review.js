// On the page of a breach, j and k go on in the list that the reader came from.  The links on the page do the same.
document.addEventListener("duecare:key", (event) => {
  const link = document.querySelector({ j: ".dc-neighbours a[rel=next]", k: ".dc-neighbours a[rel=prev]" }[event.detail] ?? "none");
  if (!link) return;
  event.preventDefault();
  link.click();
});
