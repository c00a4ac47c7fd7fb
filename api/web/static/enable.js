// Runs before anything is drawn: says that scripts work, so that parts which only scripts can open may start closed.
document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
