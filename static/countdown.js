// Counts <time data-remaining="SECONDS"> down, once a second.
for (const time of document.querySelectorAll("time[data-remaining]")) {
  // Against the clock rather than by counting ticks: background tabs and sleeping machines skip ticks.
  const end = Date.now() + 1000 * time.dataset.remaining;

  const show = () => {
    const left = Math.max(0, Math.round((end - Date.now()) / 1000));
    const parts = [
      [Math.floor(left / 86400), "d"],
      [Math.floor(left / 3600) % 24, "h"],
      [Math.floor(left / 60) % 60, "min"],
      [left % 60, "s"],
    ];
    const first = parts.findIndex(([count]) => count > 0);
    time.dateTime = `PT${left}S`;
    time.textContent = left ? parts.slice(first).map((part) => part.join("\u00a0")).join(" ") : "expired";
    if (!left) clearInterval(timer);
  };

  const timer = setInterval(show, 1000);
  show();
}
