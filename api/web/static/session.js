// Says a few minutes before a session ends that it will, and lets it go on with one press.  Pages in other tabs that were asked for
// meanwhile count: they tell this one.  What was typed is kept in any case.
const WARN = 5 * 60_000;
const box = document.getElementById("ending");
if (box) {
  const idle = Number(box.dataset.left);
  const last = Date.now() + Number(box.dataset.most);
  let ends = Date.now() + idle;
  const others = "BroadcastChannel" in window ? new BroadcastChannel("duecare.session") : null;
  const stay = box.querySelector("button");
  const text = box.querySelector("p");
  const [soon, over] = [text.textContent, box.dataset.over];
  const look = () => {
    const left = ends - Date.now();
    const words = left > 0 ? soon : over;
    if (text.textContent !== words) text.textContent = words;
    stay.hidden = left <= 0 || last - ends < 60_000;
    box.hidden = left > WARN;
  };
  const until = (instant) => { ends = Math.min(last, Math.max(ends, instant)); look(); };
  if (others) {
    others.postMessage(ends);
    others.addEventListener("message", (event) => until(Number(event.data)));
  }
  stay.addEventListener("click", async () => {
    try {
      const answer = await fetch(stay.dataset.ask, { redirect: "error" });
      if (answer.ok) { until(Date.now() + Number(box.dataset.idle)); others?.postMessage(ends); }
    } catch { /* it is over already, or the network is away: the next page says so */ }
  });
  setInterval(look, 10_000);
}
