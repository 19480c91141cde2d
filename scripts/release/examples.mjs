// The examples of the packages' pages, on a runtime, from the installed packages.

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { adapterExample, firstCommandsOf, freePort, programsIn, runnable } from "./pages.mjs"
import { begin, run } from "./run.mjs"

/** Commands first: the programs use the certificates that the broker makes. */
export async function runExamples({ name, program, before, absent }, project, step) {
  const tried = (title, check) =>
    step(`${name}: ${title}`, () => {
      if (absent !== undefined) throw absent
      return check()
    })
  await tried("the commands of @puremq/broker/README.md", () => runCommands({ name, program, before }, project))
  for (const [index, example] of programsIn(project).entries()) {
    await tried(example.name, async () => {
      const file = join(project, `example-${index}.mjs`)
      writeFileSync(file, await runnable(example.text))
      await run(program, [...before, file], { cwd: project, seconds: 60 })
    })
  }
  const entry = { Deno: "deno", Bun: "bun" }[name.split(" ")[0]]
  if (entry === undefined) return
  await tried("the program of docs/adapters.md for its sockets", async () => {
    const file = join(project, "example-adapter.mjs")
    writeFileSync(file, await runnable(adapterExample(entry)))
    const said = await run(program, [...before, file], { cwd: project, seconds: 60 })
    if (!said.includes("echo") || !said.includes("hello")) throw new Error(`it says ${JSON.stringify(said)}`)
  })
}

/** The broker, one that subscribes, and one that publishes until the other has it. */
async function runCommands({ name, program, before }, project) {
  const { commands, shows } = firstCommandsOf(project, "@puremq/broker")
  const port = await freePort()
  const words = (line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare)
  const beginOne = (line) => {
    const [, , ...args] = words(line)
    const all = args.length === 0 ? ["--tls", `${port}`] : [...args, "-p", `${port}`]
    // As it stands, where npx is what people have.
    if (name.startsWith("Node") && program === process.execPath)
      return begin("npx", ["@puremq/broker", ...all], { cwd: project })
    return begin(program, [...before, "node_modules/@puremq/broker/bin/puremq.js", ...all], { cwd: project })
  }
  const running = []
  const end = Date.now() + 60_000
  try {
    for (const line of commands) {
      for (;;) {
        const one = beginOne(line)
        running.push(one)
        const isLast = line === commands.at(-1)
        const outcome = await Promise.race([one.ended, until(isLast ? () => false : () => isReady(one, line))])
        const isShown = () => shows.every((text) => running.some(({ said }) => said().includes(text)))
        if (outcome === undefined || (isLast && outcome === 0 && (await soon(isShown)))) break
        if (Date.now() > end) throw new Error(`${line}: ${outcome}\n${running.map(({ said }) => said()).join("\n")}`)
      }
    }
  } finally {
    for (const { stop } of running) stop()
    await Promise.all(running.map(({ ended }) => ended))
  }

  function isReady({ said }, line) {
    // A subscriber says nothing; the broker does.
    return line === commands[0] ? / listening /.test(said()) : / client connected/.test(running[0].said())
  }
  async function until(condition) {
    while (!condition()) {
      if (Date.now() > end) return "nothing is heard of it"
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return undefined
  }
  async function soon(condition) {
    for (let tries = 0; tries < 20 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 50))
    return condition()
  }
}
