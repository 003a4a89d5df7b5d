// The page's words, as the server put them into the document, and how figures and ages are written with them.
// Mirrors cloud_api/web/words.py and cards.py: what the server wrote and what is rewritten here must agree.

export const words = JSON.parse(document.body.dataset.words);

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, words.thousands);
}

export function noun(value, plural) {
  const one = value === 1 || (value === 0 && words.lang === "fr");
  return one ? plural.one : plural.many;
}

export function count(value, plural) {
  return `${number(value)} ${noun(value, plural)}`;
}

export function age(measuredAt, now) {
  if (!measuredAt) return words.never;
  const minutes = Math.max(0, Math.floor((now - Date.parse(measuredAt)) / 60_000));
  if (minutes === 0) return words.just_now;
  if (minutes < 60) return fill(words.minutes_ago, { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return fill(words.hours_ago, { n: hours });
  const days = Math.floor(hours / 24);
  return fill(noun(days, words.days_ago), { n: days });
}

const parts = new Intl.DateTimeFormat("fr", {
  day: "2-digit", month: "2-digit", year: "numeric", hour: "numeric", minute: "2-digit",
  timeZone: document.body.dataset.timeZone,
});

/** A moment by the clocks of the town: `day` as 23/11/2026, `time` as the language writes it. */
export function moment(at) {
  const { day, month, year, hour, minute } = Object.fromEntries(
    parts.formatToParts(at).map(({ type, value }) => [type, value]),
  );
  return { day: `${day}/${month}/${year}`, time: fill(words.clock, { hour: Number(hour), minute }) };
}
