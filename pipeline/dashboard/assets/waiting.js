// Looks for the beginning of a run, then shows it.
setInterval(async () => {
  const answer = await fetch("/state").catch(() => null);
  if (answer?.ok && (await answer.json()).head) location.reload();
}, 1000);
