import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { lastProcessor, onOneProcessor } from "./one-processor.ts"
import { hasStarted } from "./programs.ts"

const allowedOf = (pid: number | "self") =>
  /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? ""

it.each([
  ["0-1", 1],
  ["0-3,8", 8],
  ["2,4-7", 7],
  ["0", undefined],
  ["", undefined],
])("of %s it is %s", (list, last) => expect(lastProcessor(list)).toBe(last))

const taskset = process.platform === "linux" && (await hasStarted(spawn("taskset", ["-V"], { stdio: "ignore" })))

it.skipIf(!taskset || lastProcessor(allowedOf("self")) === undefined)("each gets the same one", async () => {
  const children = [0, 1].map(() => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" }))
  try {
    await Promise.all(children.map((child) => once(child, "spawn")))
    for (const child of children) {
      onOneProcessor(child.pid)
      expect(allowedOf(child.pid!)).toBe(String(lastProcessor(allowedOf("self"))))
    }
  } finally {
    for (const child of children) child.kill("SIGKILL")
  }
})
