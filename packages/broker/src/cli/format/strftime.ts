// Times as strftime(3) of C writes them, in the locale C and the local time zone.

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const
const months = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
] as const

const millisecondsOfDay = 86_400_000

/** What the conversion makes of the time; undefined for a letter that is none. */
export function strftime(conversion: string, at: Date): string | undefined {
  return conversions[conversion]?.(at)
}

const all = (letters: string) => (at: Date) => letters.replace(/%(.)/g, (_, letter) => strftime(letter, at) ?? "")
const hour12 = (at: Date) => at.getHours() % 12 || 12

const conversions: Readonly<Record<string, (at: Date) => string>> = {
  a: (at) => days[at.getDay()]!.slice(0, 3),
  A: (at) => days[at.getDay()]!,
  b: (at) => months[at.getMonth()]!.slice(0, 3),
  B: (at) => months[at.getMonth()]!,
  c: all("%a %b %e %H:%M:%S %Y"),
  C: (at) => digits(Math.floor(at.getFullYear() / 100), 2),
  d: (at) => digits(at.getDate(), 2),
  D: all("%m/%d/%y"),
  e: (at) => digits(at.getDate(), 2, " "),
  F: all("%Y-%m-%d"),
  g: (at) => digits(isoWeek(at).year % 100, 2),
  G: (at) => digits(isoWeek(at).year, 1),
  h: all("%b"),
  H: (at) => digits(at.getHours(), 2),
  I: (at) => digits(hour12(at), 2),
  j: (at) => digits(dayOfYear(at) + 1, 3),
  k: (at) => digits(at.getHours(), 2, " "),
  l: (at) => digits(hour12(at), 2, " "),
  m: (at) => digits(at.getMonth() + 1, 2),
  M: (at) => digits(at.getMinutes(), 2),
  n: () => "\n",
  p: (at) => (at.getHours() < 12 ? "AM" : "PM"),
  P: (at) => (at.getHours() < 12 ? "am" : "pm"),
  r: all("%I:%M:%S %p"),
  R: all("%H:%M"),
  s: (at) => digits(Math.floor(at.getTime() / 1000), 1),
  S: (at) => digits(at.getSeconds(), 2),
  t: () => "\t",
  T: all("%H:%M:%S"),
  u: (at) => digits(at.getDay() || 7, 1),
  U: (at) => digits(week(at, at.getDay()), 2),
  V: (at) => digits(isoWeek(at).week, 2),
  w: (at) => digits(at.getDay(), 1),
  W: (at) => digits(week(at, (at.getDay() + 6) % 7), 2),
  x: all("%m/%d/%y"),
  X: all("%H:%M:%S"),
  y: (at) => digits(at.getFullYear() % 100, 2),
  Y: (at) => digits(at.getFullYear(), 1),
  z: offset,
  Z: zone,
  "%": () => "%",
}

function digits(value: number, width: number, pad: "0" | " " = "0"): string {
  return String(value).padStart(width, pad)
}

/** From 0. Days are counted in UTC: a local one may have 23 hours. */
function dayOfYear(at: Date): number {
  const day = Date.UTC(at.getFullYear(), at.getMonth(), at.getDate())
  return (day - Date.UTC(at.getFullYear(), 0, 1)) / millisecondsOfDay
}

/** Of the year, from the first day with `weekday` 0 on. */
function week(at: Date, weekday: number): number {
  return Math.floor((dayOfYear(at) + 7 - weekday) / 7)
}

/** ISO 8601: the week, and its year, are those of its Thursday. */
function isoWeek(at: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 3 - ((at.getDay() + 6) % 7))
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 }
}

function offset(at: Date): string {
  const minutes = -at.getTimezoneOffset()
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `${minutes < 0 ? "-" : "+"}${digits(hours, 2)}${digits(rest, 2)}`
}

function zone(at: Date): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(at)
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? ""
}
