// A broker that is told to read its files again: far too often, or when they are long, or broken.

import { writeFileSync } from "node:fs"
import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, pause } from "../wire/client.ts"
import { scramKeys } from "../wire/scram.ts"
import { passwordFile } from "./passwords.ts"

const users = 30_000
const signals = 300

/** Many users, alice first: all have her password, which is what makes them cheap to make. */
function manyUsers(scram: string): string {
  const [line = ""] = passwordFile({ alice: "a" }).split("\n")
  const rest = `${line.slice("alice".length)}${scram}`
  return Array.from({ length: users }, (_, i) => `${i === 0 ? "alice" : `user-${i}`}${rest}\n`).join("")
}

function manyRules(count: number): string {
  return `all readwrite #\n${Array.from({ length: count }, (_, i) => `user user-${i} readwrite home/${i}/#\n`).join("")}`
}

async function enters(server: Server, username: string): Promise<boolean> {
  const client = await Client.connect("tcp", server.port(), { clientId: "", username, password: "a" }).catch(
    () => undefined,
  )
  client?.wire.destroy()
  return client !== undefined
}

function told(server: Server, from: number): RegExpMatchArray[] {
  return [...server.program.log.slice(from).matchAll(/ (?:reloaded|unchanged|error) text=.*/g)]
}

/** Waits until the broker has said what has come of it. */
async function saysSo(scene: Scene, server: Server, from: number, wanted: RegExp): Promise<void> {
  const end = performance.now() + 30_000
  while (!told(server, from).some(([line]) => wanted.test(line)) && performance.now() < end && server.program.alive)
    await pause(50)
  scene.check(
    told(server, from).some(([line]) => wanted.test(line)),
    `the log does not say ${wanted}`,
  )
}

export const reloadCases: readonly Case[] = [
  {
    name: `SIGHUP ${signals} times in a second, with ${users.toLocaleString("en")} users and as many rules`,
    when: "first",
    seconds: 120,
    async run(scene) {
      const keys = scramKeys("a")
      const passwords = scene.file("passwords", manyUsers(keys))
      const acl = scene.file("acl", manyRules(users))
      const server = await scene.broker({ args: ["--password-file", passwords, "--acl", acl] })
      await scene.neighbour(server, { username: "alice", password: "a" })
      const from = server.program.log.length
      const changed = manyUsers(keys).replace(/^user-1:.*\n/m, "")
      writeFileSync(passwords, changed)
      for (let i = 0; i < signals; i++) {
        server.program.child.kill("SIGHUP")
        await pause(3)
      }
      // What was last there is taken, though it was told while another reload was under way.
      writeFileSync(acl, manyRules(users + 1))
      server.program.child.kill("SIGHUP")
      await saysSo(scene, server, from, new RegExp(`access control list: ${users + 2} rules, changed`))
      const times = told(server, from).length
      scene.check(times < signals / 4, `${times} reloads for ${signals + 1} signals`)
      scene.check(await enters(server, "alice"), "alice is kept out")
      scene.check(!(await enters(server, "user-1")), "user-1 logs in though deleted")
    },
  },
  {
    name: "SIGHUP with password files that are long and broken",
    seconds: 120,
    async run(scene) {
      const good = passwordFile({ alice: "a" })
      const passwords = scene.file("passwords", good)
      const server = await scene.broker({ args: ["--password-file", passwords] })
      await scene.neighbour(server, { username: "alice", password: "a" })
      const mebibytes = 64
      const broken: Readonly<Record<string, Uint8Array>> = {
        "one line": Buffer.alloc(mebibytes << 20, "x"),
        "empty lines": Buffer.alloc(mebibytes << 20, "\n"),
        "empty lines, as many as may be": Buffer.concat([Buffer.alloc(14 << 20, "\n"), Buffer.from("x")]),
        "no text": Buffer.alloc(14 << 20, 0xff),
        "a line at the end": Buffer.concat([Buffer.alloc(14 << 20, "abc\n"), Buffer.of(0xff)]),
        "users, and then none": Buffer.from(`${manyUsers("")}x`),
      }
      for (const [what, content] of Object.entries(broken)) {
        const from = server.program.log.length
        writeFileSync(passwords, content)
        server.program.child.kill("SIGHUP")
        await saysSo(scene, server, from, /nothing was reloaded/)
        scene.check(server.program.alive, `${what}: it ends`)
        if (!server.program.alive) return
      }
      scene.check(await enters(server, "alice"), "alice is kept out")
    },
  },
]
