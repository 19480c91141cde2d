// `puremq top`: a running broker on a terminal, by its admin API.

import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import { ClientError } from "./client/errors.ts"
import { AdminApi } from "./monitor/api.ts"
import { topCommand, usualTimeout } from "./monitor/command.ts"
import { Feed } from "./monitor/top/feed.ts"
import { afterKey, type Key, keysIn } from "./monitor/top/keys.ts"
import { painted } from "./monitor/top/line.ts"
import { screenOf } from "./monitor/top/screen.ts"
import { sorts, type TopState, type View } from "./monitor/top/state.ts"
import { Terminal } from "./monitor/top/terminal.ts"
import { targetOf, tokenOf } from "./monitor/where.ts"

/** Milliseconds: the clock goes on, and a wait for the next try is counted down. */
const drawEach = 1000

/** Until a key ends it, or, with --once, for one screen. @throws UsageError, ClientError */
export async function top(args: readonly string[]): Promise<void> {
  const options = readArguments(topCommand, args)
  const once = options.flag("once")
  const { env, stdin, stdout } = process
  if (!once && (!stdout.isTTY || env["TERM"] === "dumb"))
    throw new UsageError("the output is no terminal that can be drawn on; --once prints one screen and ends")
  const target = await targetOf(options, env)
  if (target.kind !== "admin")
    throw new UsageError(
      "the broker is watched by its admin API, and there is none here: give the configuration an [admin] with port and tokenFile, or this command the URL of one",
    )
  const token = tokenOf(options, env)
  if (token === undefined)
    throw new UsageError(
      'the admin API wants a token: --token-file FILE, or PUREMQ_ADMIN_TOKEN; "puremq token FILE NAME" makes one that may read',
    )
  const api = new AdminApi(target, token)
  const interval = options.number("interval", 1, 60) ?? 2
  const timeout = 1000 * (options.number("timeout", 1, 300) ?? usualTimeout)
  const feed = new Feed(api, interval, timeout, () => Date.now())
  const view = viewOf(options, once)
  try {
    if (once) await printOnce(feed, view, interval)
    else await new Watching(feed, view, new Terminal(stdout, stdin)).run()
  } finally {
    api.close()
  }
}

function viewOf(options: Arguments, once: boolean): View {
  const { env, stdin, stdout } = process
  const sort = options.oneOf("sort", ...sorts.map(wordOf)) ?? "waiting"
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || ""
  return {
    columns: options.number("columns", 40, 500) ?? (stdout.columns || Number(env["COLUMNS"]) || 100),
    rows: options.number("rows", 10, 500) ?? (once ? 40 : 24),
    // Windows says nothing there, and shows it.
    unicode: /utf-?8/i.test(locale) || process.platform === "win32",
    sort: sorts.find((each) => wordOf(each) === sort) ?? "waiting",
    paused: false,
    offset: 0,
    help: false,
    keys: !once && stdin.isTTY,
  }
}

export function wordOf(sort: string): string {
  return sort.replaceAll(" ", "-")
}

function linesOf(state: TopState, view: View): string[] {
  const { env, stdout } = process
  // https://no-color.org
  const mode = !stdout.isTTY ? "none" : env["NO_COLOR"] ? "no colour" : "colour"
  return screenOf(state, view).map((line) => painted(line, mode))
}

/** Rates need two looks. */
async function printOnce(feed: Feed, view: View, interval: number): Promise<void> {
  for (const wait of [1000 * interval, 0]) {
    await feed.look()
    const { link } = feed.state
    if (link.state === "lost") throw new ClientError(`no answer from ${feed.state.place}: ${link.why}`)
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
  }
  process.stdout.write(
    `${linesOf(feed.state, view)
      .map((line) => line.trimEnd())
      .join("\n")}\n`,
  )
}

class Watching {
  readonly #feed: Feed
  readonly #terminal: Terminal
  #view: View
  /** What is shown while it is paused. */
  #held: TopState | undefined
  #end: () => void = () => undefined
  #fail: (error: unknown) => void = () => undefined
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(feed: Feed, view: View, terminal: Terminal) {
    this.#feed = feed
    this.#view = view
    this.#terminal = terminal
  }

  async run(): Promise<void> {
    const { stdin, stdout } = process
    const over = new Promise<void>((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    const draw = () => this.#draw()
    const quit = () => this.#end()
    const back = () => {
      this.#terminal.enter()
      this.#draw()
    }
    const pressed = (chunk: Buffer) => {
      for (const key of keysIn(chunk.toString("utf8"))) this.#press(key)
    }
    const clock = setInterval(draw, drawEach)
    stdout.on("resize", draw)
    process.on("SIGINT", quit).on("SIGTERM", quit).on("SIGHUP", quit).on("SIGCONT", back)
    stdin.on("data", pressed)
    this.#terminal.enter()
    this.#draw()
    void this.#look()
    try {
      await over
    } finally {
      this.#over = true
      clearInterval(clock)
      clearTimeout(this.#timer)
      stdout.off("resize", draw)
      process.off("SIGINT", quit).off("SIGTERM", quit).off("SIGHUP", quit).off("SIGCONT", back)
      stdin.off("data", pressed)
      this.#terminal.leave()
      stdin.pause()
    }
  }

  async #look(): Promise<void> {
    try {
      const wait = await this.#feed.look()
      if (this.#over) return
      this.#draw()
      this.#timer = setTimeout(() => void this.#look(), wait)
    } catch (error) {
      this.#fail(error)
    }
  }

  #press(key: Key): void {
    if (key === "quit") this.#end()
    else if (key === "stop") {
      this.#terminal.leave()
      process.kill(process.pid, "SIGTSTP")
    } else this.#change(key)
  }

  #change(key: Key): void {
    this.#view = afterKey(this.#view, key)
    this.#held = this.#view.paused ? (this.#held ?? this.#feed.state) : undefined
    this.#draw()
  }

  #draw(): void {
    const view = { ...this.#view, ...this.#terminal.size }
    this.#terminal.draw(linesOf(this.#held ?? this.#feed.state, view))
  }
}
