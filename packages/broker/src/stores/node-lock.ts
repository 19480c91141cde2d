// One owner a folder. Whoever comes lays a claim in it: a socket, which a dead one does not answer on, so nobody has to be asked
// who that was, also across containers that share the folder. Where a file system has no sockets a claim is a file with the
// number of a process. A claim's name is used once: what was found dead may be removed at any time.
//
// A claim is there before others are looked at. So of two, the one that looks last sees the other, and both cannot own it.

import { createHash, randomBytes } from "node:crypto"
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { connect, createServer, type Server } from "node:net"
import { hostname } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { reasonOf, StoreError } from "./folder.ts"

type State = "owner" | "trying" | "dead"

interface Claim {
  /** From now on its state is "owner". */
  own(): void
  release(): Promise<void>
}

/** What claims are made of. */
interface Medium {
  readonly pattern: RegExp
  lay(name: string): Promise<Claim>
  /** Whose it is says so; rejects with StoreError when that cannot be known. */
  ask(name: string): Promise<State>
  done(): void
}

/** The path of a socket has at most so many bytes, on the systems with the least. */
const longestSocketPath = 103

/** How long an answer takes at most, in milliseconds. */
const patience = 500

/** Makes the folder when there is none, for its owner alone. Throws StoreError. Returns what it made, the innermost first. */
export function makeFolder(directory: string): readonly string[] {
  const made: string[] = []
  try {
    makeWithParents(resolve(directory), made)
    return made
  } catch (error) {
    removeFolders(made)
    throw new StoreError(`cannot make the folder ${directory}: ${reasonOf(error)}`)
  }
}

/** Node's own way of making parents does not come to an end where the system says that a folder is not there which is: in /proc. */
function makeWithParents(path: string, made: string[]): void {
  if (isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path) makeWithParents(parent, made)
  try {
    mkdirSync(path, { mode: 0o700 })
    made.unshift(path)
  } catch (error) {
    if (!isFolder(path)) throw error // else somebody was faster
  }
}

/** Those that are empty. */
export function removeFolders(paths: readonly string[]): void {
  try {
    for (const path of paths) rmdirSync(path)
  } catch {
    // Somebody has put something into it.
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Takes the folder; the result gives it back. Rejects with StoreError when another process has it. */
export async function lockFolder(directory: string): Promise<() => Promise<void>> {
  if (process.platform === "win32") return lockByPipe(directory)
  const base = shortPath(directory)
  if (base === undefined) return lockByFile(directory)
  const medium = sockets(directory, base)
  const name = newName()
  let claim: Claim
  try {
    claim = await medium.lay(name)
  } catch (error) {
    medium.done()
    if (noSockets.includes(codeOf(error) ?? "")) return lockByFile(directory)
    throw new StoreError(`cannot lock ${directory}: ${reasonOf(error)}`)
  }
  return elect(directory, [medium, processFiles(directory)], name, claim)
}

/** What a file system says that has none. */
const noSockets = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"]

/** For where there are no sockets. */
export async function lockByFile(directory: string): Promise<() => Promise<void>> {
  const base = shortPath(directory)
  const media = [processFiles(directory), ...(base === undefined ? [] : [sockets(directory, base)])]
  const name = `${newName()}.pid`
  try {
    return await elect(directory, media, name, await media[0]!.lay(name))
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError(`cannot lock ${directory}: ${reasonOf(error)}`)
  }
}

function newName(): string {
  return `lock-${randomBytes(8).toString("hex")}`
}

/** @param media all that others may have laid claims with */
async function elect(
  directory: string,
  media: readonly Medium[],
  name: string,
  claim: Claim,
): Promise<() => Promise<void>> {
  const release = async (): Promise<void> => {
    await claim.release()
    for (const medium of media) medium.done()
  }
  try {
    for (const other of readdirSync(directory)) {
      const medium = media.find(({ pattern }) => pattern.test(other))
      if (medium === undefined || other === name) continue
      if (await isAhead(medium, other, name)) {
        throw new StoreError(`another broker has the store ${directory} open; stop it, or use another folder`)
      }
      rmSync(join(directory, other), { force: true })
    }
  } catch (error) {
    await release()
    throw error
  }
  claim.own()
  return release
}

/** Of those that come at once the one with the lowest name goes on, when the others have given up. False: it is dead, or did. */
async function isAhead(medium: Medium, other: string, name: string): Promise<boolean> {
  for (let waited = 0; waited < patience; waited += 5) {
    const state = await medium.ask(other)
    if (state === "dead") return false
    if (state === "owner" || other < name) return true
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return true
}

/* ---------------------------------------------------------------- sockets */

/** The folder as a path that a socket's name fits behind; undefined when there is none. */
function shortPath(directory: string): { readonly path: string; readonly descriptor?: number } | undefined {
  const whole = resolve(directory)
  for (const path of [whole, relative(process.cwd(), whole) || "."]) {
    if (Buffer.byteLength(join(path, `new-${newName()}`)) <= longestSocketPath) return { path }
  }
  if (process.platform !== "linux") return undefined
  const descriptor = openSync(whole, "r")
  return { path: `/proc/self/fd/${descriptor}`, descriptor }
}

function sockets(directory: string, base: { readonly path: string; readonly descriptor?: number }): Medium {
  return {
    pattern: /^lock-[0-9a-f]+$/,
    ask: (name) => askSocket(directory, `${base.path}/${name}`),
    done: () => {
      if (base.descriptor !== undefined) closeSync(base.descriptor)
    },
    async lay(name) {
      let state: State = "trying"
      const path = `${base.path}/${name}`
      // Others see it when it answers, not before.
      const server = await listen(`${base.path}/new-${name}`, () => state)
      try {
        renameSync(`${base.path}/new-${name}`, path)
      } catch (error) {
        server.close()
        throw error
      }
      return {
        own: () => {
          state = "owner"
        },
        release: async () => {
          rmSync(path, { force: true })
          await new Promise((resolve) => server.close(resolve))
        },
      }
    },
  }
}

function listen(path: string, state: () => State): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy()) // whoever asked has gone
      socket.end(state())
    })
    // For good: without descriptors the system refuses whoever asks, and tells the server each time.
    server.on("error", reject)
    server.listen(path, () => {
      server.unref() // it keeps no process alive
      resolve(server)
    })
  })
}

function askSocket(directory: string, path: string): Promise<State> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let text = ""
    // Whoever is there and too busy to answer is the owner.
    socket.setTimeout(patience, () => socket.destroy())
    socket.on("data", (data) => {
      text += data
    })
    socket.on("close", (failed) => {
      if (!failed) resolve(text === "trying" ? "trying" : "owner")
    })
    socket.on("error", (error) => {
      const code = codeOf(error)
      if (code === "ECONNRESET" || code === "EPIPE")
        resolve("trying") // it is just going
      else if (code === "ECONNREFUSED" || code === "ENOENT") resolve("dead")
      else reject(new StoreError(`cannot tell whether another broker has ${directory} open: ${reasonOf(error)}`))
    })
  })
}

/** On Windows the system knows one owner of a name, and its end. */
async function lockByPipe(directory: string): Promise<() => Promise<void>> {
  const name = createHash("sha256").update(resolve(directory).toLowerCase()).digest("hex")
  try {
    const server = await listen(`\\\\.\\pipe\\puremq-${name}`, () => "owner")
    return () => new Promise((resolve) => server.close(() => resolve()))
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw new StoreError(`cannot lock ${directory}: ${reasonOf(error)}`)
    throw new StoreError(`another broker has the store ${directory} open; stop it, or use another folder`)
  }
}

/* ---------------------------------------------------------------- files */

function processFiles(directory: string): Medium {
  const write = (name: string, state: State) => {
    const path = join(directory, name)
    writeFileSync(`${path}.new`, `${process.pid} ${state} ${hostname()}\n`)
    renameSync(`${path}.new`, path)
  }
  return {
    pattern: /^lock-[0-9a-f]+\.pid$/,
    done() {},
    async lay(name) {
      write(name, "trying")
      return {
        own: () => write(name, "owner"),
        release: async () => rmSync(join(directory, name), { force: true }),
      }
    },
    async ask(name) {
      const path = join(directory, name)
      let text: string
      try {
        text = readFileSync(path, "utf8")
      } catch (error) {
        if (codeOf(error) === "ENOENT") return "dead"
        throw error
      }
      const [pid = "", state = "", host = ""] = text.trim().split(" ")
      if (host !== hostname()) {
        throw new StoreError(
          `${path} says that process ${pid} of ${host} has the store open; delete it if that has ended`,
        )
      }
      if (!isAlive(Number(pid))) return "dead"
      return state === "trying" ? "trying" : "owner"
    },
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === "EPERM"
  }
}

function codeOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : undefined
}
