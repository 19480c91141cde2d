// The Dockerfile, without an engine: what it says of user, stages and health check, and its commands as the image would run them. With
// hadolint, what that says too.

import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Command } from "./command.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const textOf = (name: string) => readFileSync(`${root}/${name}`, "utf8")

interface Instruction {
  readonly name: string
  readonly value: string
}

/** By stage; comments and continued lines are put together. */
const stages: Instruction[][] = []
const joined = textOf("Dockerfile")
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n\s*/g, " ")
for (const line of joined.split("\n").filter((each) => each.trim() !== "")) {
  const [, name = "", value = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? []
  if (name === "FROM") stages.push([])
  stages.at(-1)?.push({ name, value })
}
const last = stages.at(-1) ?? []
const of = (name: string) => last.filter((each) => each.name === name).map(({ value }) => value)
const wordsOf = (value: string | undefined): string[] => JSON.parse(/\[.*\]$/.exec(value ?? "")?.[0] ?? "[]")

describe("the Dockerfile", () => {
  it("ends in a stage of its own without a shell, a package manager or root", () => {
    expect(stages.length).toBeGreaterThan(1)
    expect(of("FROM")).toEqual([expect.stringMatching(/^gcr\.io\/distroless\/nodejs\d+-debian\d+:nonroot$/)])
    expect([of("RUN"), of("ADD")]).toEqual([[], []])
    expect(of("USER")).toEqual([expect.stringMatching(/^[1-9]\d+:[1-9]\d+$/)])
    for (const value of of("COPY")) expect(value).toMatch(/^--from=build /)
    expect(last.map(({ value }) => value).join("\n")).not.toMatch(/\bnpm\b|node_modules/)
  })

  it("names the versions that it is built on, one of Node.js in both stages, which the broker takes", () => {
    const versions = stages.map(([from]) => /\bnode(?:js|:)(\d+)/.exec(from?.value ?? "")?.[1])
    expect(new Set(versions).size).toBe(1)
    expect(Number(versions[0])).toBeGreaterThanOrEqual(20)
    for (const [from] of stages) expect(from?.value).not.toMatch(/:latest|^[^:]+$/)
  })

  it("has no instruction that there is none of, and words where a shell would be needed", () => {
    const known = ["FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL"]
    for (const { name } of stages.flat()) expect([...known, "HEALTHCHECK", "ENTRYPOINT", "CMD"]).toContain(name)
    for (const name of ["ENTRYPOINT", "CMD", "HEALTHCHECK"])
      expect(wordsOf(of(name)[0]).length, name).toBeGreaterThan(0)
  })

  it("leaves out of its context what is secret or made, and nothing that a build reads", () => {
    const left = textOf(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
    for (const name of [".git", ".puremq", "**/node_modules", "**/dist", "*.pem", "*.key"]) expect(left).toContain(name)
    for (const name of ["packages", "scripts", "package.json", "package-lock.json", "tsconfig.json", "runtime-tests"])
      expect(left).not.toContain(name)
  })

  it.skipIf(spawnSync("hadolint", ["--version"]).status !== 0)("hadolint has nothing to say", () => {
    const { status, stdout } = spawnSync("hadolint", ["--no-color", "Dockerfile"], { cwd: root, encoding: "utf8" })
    expect([status, stdout]).toEqual([0, ""])
  })
})

describe("its commands", () => {
  const command = new Command()
  beforeAll(() => command.build(), 60_000)
  afterAll(() => command.remove())

  it("start a broker of the configuration that ENV names, and find it well; without one they say so", async () => {
    const [, place = ""] = /PUREMQ_CONFIG=(\S+)/.exec(of("ENV").join(" ")) ?? []
    const [node, file, ...entry] = wordsOf(of("ENTRYPOINT")[0])
    expect(node).toBe("/nodejs/bin/node")
    const check = wordsOf(of("HEALTHCHECK")[0])
    expect(check.slice(0, 2)).toEqual([node, file])
    const config = command.at(place.slice(1))
    const env = { ...process.env, PUREMQ_CONFIG: config }
    const missing = await command.start([...entry, ...wordsOf(of("CMD")[0])], { env }).ended
    expect([missing.status, missing.err]).toEqual([
      1,
      expect.stringMatching(/^puremq: cannot read the configuration .*puremq\.toml: there is no such file\n$/),
    ])
    mkdirSync(command.at("etc/puremq"), { recursive: true })
    const port = await freePort()
    writeFileSync(config, `[listeners.tcp]\nport = ${port}\n[store]\ntype = "memory"\n`)
    const broker = command.start([...entry, ...wordsOf(of("CMD")[0])], { env })
    await broker.until(/listening/)
    const well = await command.start(check.slice(2), { env }).ended
    expect([well.status, well.out]).toEqual([
      0,
      expect.stringMatching(/^well: the broker at mqtt:\/\/127\.0\.0\.1:\d+/),
    ])
    broker.child.kill("SIGTERM")
    expect((await broker.ended).status).toBe(0)
    expect((await command.start(check.slice(2), { env }).ended).status).toBe(1)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
