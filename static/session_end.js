// Shows without a reload that the session of this page has ended.
const EVENTS = "/account/events";
const ended = document.querySelector("#session-end");
const link = ended.querySelector("a");
link.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
let stream;

const isTypedIn = (input) => input.value !== input.defaultValue;

// Without a reason, the page is shown again.
const show = (reason) => {
  // A sign-in in another window keeps what was typed here.
  link.target = [...document.querySelectorAll("main input")].some(isTypedIn) ? "_blank" : "";
  ended.querySelector(".lead").textContent = reason;
  ended.hidden = !reason;
};

const connect = () => {
  stream?.close();
  // Browsers open at most six connections to a site over HTTP/1.1, so hidden pages have none.
  if (document.hidden) return;
  const opened = (stream = new EventSource(EVENTS));
  opened.addEventListener("user", ({ data }) =>
    show(data === ended.dataset.user ? "" : `This browser is signed in as ${data} now.`),
  );
  opened.addEventListener("ended", ({ data }) => {
    opened.close();
    show(data);
  });
  opened.addEventListener("error", async () => {
    // It connects again by itself, unless the server refuses it, with a status that it does not say.
    if (opened.readyState !== EventSource.CLOSED) return;
    const answer = await fetch(EVENTS, { method: "HEAD" }).catch(() => null);
    if (stream !== opened) return;
    if (answer?.status === 401) show("Your session has ended.");
    else setTimeout(connect, 5000);
  });
};

document.addEventListener("visibilitychange", connect);
connect();
