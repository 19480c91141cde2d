// Numbers, sizes and times as people read them. Thousands stand apart by a thin space that does not break.

const thin = "\u202f"

/** 12 345.6: whole from 100 on, with one digit more below. */
export function count(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return apart(value.toFixed(digits))
}

/** A rate or a level in a small place: 12.3 k. */
export function short(value: number): string {
  for (const [from, size, unit] of sizes) {
    if (Math.abs(value) >= from) return `${three(value / size)}${thin}${unit}`
  }
  return three(value)
}

/** From where on, of what, and its sign. */
const sizes = [
  [1e9, 1e9, "G"],
  [1e6, 1e6, "M"],
  [1e4, 1e3, "k"],
] as const

/** 1.2 MB: decimal, as networks and disks count. */
export function bytes(value: number): string {
  for (const [size, unit] of byteSizes) {
    if (Math.abs(value) >= size) return `${three(value / size)}${thin}${unit}`
  }
  return `${three(value)}${thin}B`
}

const byteSizes = [
  [1e12, "TB"],
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
] as const

/** @param value seconds */
export function duration(value: number): string {
  if (value === 0) return `0${thin}ms`
  if (value < 0.001) return `${three(value * 1e6)}${thin}µs`
  if (value < 1) return `${three(value * 1000)}${thin}ms`
  if (value < 120) return `${three(value)}${thin}s`
  if (value < 7200) return `${Math.floor(value / 60)}${thin}min`
  if (value < 172_800) return `${Math.floor(value / 3600)}${thin}h`
  return `${apart(String(Math.floor(value / 86_400)))} days`
}

/** With three digits that say something. */
function three(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return "0"
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  const text = value.toFixed(digits)
  return apart(text.includes(".") ? text.replace(/\.?0+$/, "") : text)
}

function apart(text: string): string {
  const [whole = "", part] = text.split(".")
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thin)
  return part === undefined ? grouped : `${grouped}.${part}`
}

/** One thing or several: `several(2, "client")` is "2 clients". */
export function several(value: number, what: string, more: string = `${what}s`): string {
  return `${count(value)} ${value === 1 ? what : more}`
}

/** "2 minutes ago", "in 3 days". @param at, now milliseconds since 1970 */
export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000)
  const past = Math.max(0, seconds)
  if (seconds < -1) return `in ${longUnit(-seconds)}`
  return past < 5 ? "just now" : `${longUnit(past)} ago`
}

function longUnit(seconds: number): string {
  if (seconds < 60) return several(seconds, "second")
  if (seconds < 3600) return several(Math.floor(seconds / 60), "minute")
  if (seconds < 86_400) return several(Math.floor(seconds / 3600), "hour")
  return several(Math.floor(seconds / 86_400), "day")
}

/** 2026-11-30 14:03:07, in the time of who looks. */
export function absolute(at: number): string {
  const date = new Date(at)
  const two = (value: number) => String(value).padStart(2, "0")
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${clock(at)}`
}

/** 14:03:07. */
export function clock(at: number): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((value) => String(value).padStart(2, "0"))
    .join(":")
}

/** An address without the port that it came from. */
export function withoutPort(peer: string): string {
  return peer.replace(/^\[([^\]]+)\]:\d+$/, "$1").replace(/^([^:]+):\d+$/, "$1")
}
