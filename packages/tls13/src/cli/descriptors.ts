// Whether connections can be taken. When a process has no descriptor left, Node closes those that come, by one that it holds in
// reserve, and tells nobody: no server has an event for it. So somebody has to look.

import { closeSync, openSync } from "node:fs"
import type { Server } from "node:net"
import { devNull } from "node:os"
import { reasonOf } from "./arguments.ts"

/** Milliseconds. */
const everySecond = 1000

/** @param lacks is told each second in which nothing can be opened, with the reason */
export function watchDescriptors(server: Pick<Server, "once">, lacks: (why: string) => void): void {
  const timer = setInterval(() => {
    try {
      closeSync(openSync(devNull, "r"))
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined
      if (code === "EMFILE" || code === "ENFILE") lacks(reasonOf(error))
    }
  }, everySecond)
  timer.unref()
  server.once("close", () => clearInterval(timer))
}
