// What a run is about, for who waits for it: on stderr, as the report is on stdout. A line each time something begins; with a
// plan of how long all takes, the line has a bar and the time that is left.

let plan: { readonly total: number; done: number; current: number; began: number; readonly started: number } | undefined

/** @param seconds that all will take, about */
export function planProgress(seconds: number): void {
  const now = performance.now()
  plan = { total: Math.max(1, seconds), done: 0, current: 0, began: now, started: now }
}

/** Something that takes about so long begins; what was before it is done. */
export function beginProgress(seconds: number): void {
  if (plan === undefined) return
  plan.done += plan.current
  plan.current = seconds
  plan.began = performance.now()
}

export function progress(line: string): void {
  process.stderr.write(`bench: ${plan === undefined ? "" : `${barText(shareDone(plan), secondsLeft(plan))} `}${line}\n`)
}

/** What takes longer than planned stays at its end until it is over. */
function shareDone({ total, done, current, began }: NonNullable<typeof plan>): number {
  const spent = Math.min(current, (performance.now() - began) / 1000)
  return Math.min(1, (done + spent) / total)
}

/** As the machine has been until now: half as quick as planned, twice the rest of the plan. */
function secondsLeft(given: NonNullable<typeof plan>): number {
  const share = shareDone(given)
  const spent = (performance.now() - given.started) / 1000
  const pace = share > 0.05 ? Math.max(1, spent / (share * given.total)) : 1
  return (1 - share) * given.total * pace
}

/** @param share 0 to 1 */
export function barText(share: number, left: number): string {
  const width = 16
  const full = Math.round(share * width)
  return `[${"#".repeat(full)}${".".repeat(width - full)}] ${durationText(left)} left;`
}

/** @param seconds rounded up to 5 s, and to minutes from 2 on */
export function durationText(seconds: number): string {
  const rounded = Math.ceil(seconds / 5) * 5
  return rounded < 120 ? `${rounded} s` : `${Math.round(rounded / 60)} min`
}
