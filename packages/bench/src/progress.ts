// What a run is about, for who waits for it: on stderr, as the report is on stdout. A line each time something begins; with a
// plan of how long all takes, the line has a bar and the time that is left.

/** Of one run: what it will take, and what of it is done. */
class Plan {
  #total = 0
  #done = 0
  #current = 0
  #began = 0
  #started = 0

  /** @param seconds that all will take, about */
  start(seconds: number): void {
    this.#total = Math.max(1, seconds)
    this.#started = performance.now()
    this.#began = this.#started
  }

  /** Something that takes about so long begins; what was before it is done. */
  begin(seconds: number): void {
    this.#done += this.#current
    this.#current = seconds
    this.#began = performance.now()
  }

  /** Empty when there is no plan. */
  text(): string {
    return this.#total === 0 ? "" : `${barText(this.#share(), this.#left())} `
  }

  /** What takes longer than planned stays at its end until it is over. */
  #share(): number {
    const spent = Math.min(this.#current, (performance.now() - this.#began) / 1000)
    return Math.min(1, (this.#done + spent) / this.#total)
  }

  /** Seconds, as the machine has been until now: half as quick as planned, twice the rest of the plan. */
  #left(): number {
    const share = this.#share()
    const spent = (performance.now() - this.#started) / 1000
    const pace = share > 0.05 ? Math.max(1, spent / (share * this.#total)) : 1
    return (1 - share) * this.#total * pace
  }
}

const plan = new Plan()

/** @param seconds that all will take, about */
export function planProgress(seconds: number): void {
  plan.start(seconds)
}

/** Something that takes about so long begins; what was before it is done. */
export function beginProgress(seconds: number): void {
  plan.begin(seconds)
}

export function progress(line: string): void {
  process.stderr.write(`bench: ${plan.text()}${line}\n`)
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
