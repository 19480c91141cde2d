import { closeSync, cpSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Command, type Ended } from "../../tests/command.ts"
import { anyChange, folded, orderlyTurns, Seeded } from "../../tests/stores/random-changes.ts"
import { answerOf, handOver, restored } from "../../tests/stores/small-hub.ts"
import type { MessageKept } from "../packet/change.ts"
import { StoreError } from "../stores/folder.ts"
import { openFileStore } from "../stores/node-files.ts"
import { RecordFormat } from "../stores/records.ts"
import { changeOf, lineOf } from "./change-lines.ts"

const command = new Command()
beforeAll(() => command.build(), 60_000)
afterAll(() => command.remove())

const puremq = (...args: string[]): Promise<Ended> => command.run(args)

async function puremqWith(input: string, ...args: string[]): Promise<Ended> {
  const running = command.start(args)
  running.child.stdin?.end(input)
  return running.ended
}

/** An import that ends with this line, or part of one. */
async function refused(input: string, problem: string | RegExp, ...more: string[]): Promise<void> {
  const { status, out, err } = await puremqWith(input, "store", "import", "made/of/wrong", ...more)
  expect([status, out]).toEqual([1, ""])
  expect(err).toMatch(/^puremq: [^\n]+\n$/)
  if (typeof problem === "string") expect(err).toContain(`puremq: ${problem}`)
  else expect(err).toMatch(problem)
  expect(existsSync(command.at("made"))).toBe(false)
}

/** Without the last line, which says how many they are. */
function changesIn(lines: string) {
  const all = lines.trimEnd().split("\n").map(changeOf)
  expect(all.at(-1)).toEqual({ type: "end", lines: all.length - 1 })
  return all.slice(0, -1)
}

const turns = orderlyTurns(new Seeded(4), 100)

/** A store in a folder of this name, with what `turns` make. */
async function made(name: string): Promise<string> {
  const store = await openFileStore({ directory: command.at(name) })
  await restored(store)
  await handOver(store, turns)
  await answerOf(store.close())
  return command.at(name)
}

const journalOf = (directory: string) => `${directory}/journal-0000000001`

const none = new Uint8Array(0)
const message: MessageKept = {
  ...({ type: "message", sequence: 1, topic: "t", qos: 1, retain: true } as const),
  ...{ expiresAt: 0, properties: none, payload: none },
}
const aWill = { topic: "a/#", qos: 0, retain: false, delayInterval: 0, payload: "", properties: "" } as const
const anybody = { user: "", source: "anonymous", account: "" } as const

describe("Changes as lines", () => {
  it("any of them comes out as it went in", () => {
    const random = new Seeded(9)
    let count = 0
    for (let n = 0; n < 4000; n++) {
      const change = anyChange(random)
      if ("packetId" in change && (change.packetId < 1 || change.packetId > 65_535)) continue
      try {
        expect(changeOf(lineOf(change))).toEqual(change)
        count++
      } catch (error) {
        // No broker writes those.
        if (!(error instanceof StoreError && /must be a Topic (?:Name|Filter)$/.test(error.message))) throw error
      }
    }
    expect(count).toBeGreaterThan(2000)
  })

  it("also with a payload of tens of millions of bytes", () => {
    const line = lineOf({ ...message, payload: new Uint8Array(50_000_000) })
    const { payload } = changeOf(line) as MessageKept
    expect(payload).toHaveLength(50_000_000)
  })

  it.each<readonly [string, string]>([
    ["nothing", "it is no JSON"],
    ["[]", "it is no JSON object"],
    ["{}", "type must be a string"],
    ['{"type":"done"}', "clientId must be a string"],
    ['{"type":"eaten"}', "type must be one of message, queued, "],
    ['{"type":"sent","clientId":"a","place":1,"packetId":0}', "packetId must be a number from 1 to 65535"],
    ['{"type":"done","clientId":"a","place":-1}', "place must be a whole number from 0 on"],
    ['{"type":"clock","now":"soon"}', "now must be milliseconds since 1970, or null"],
    ['{"type":"opened","clientId":"a","owner":7,"expiryInterval":1}', "owner must be an object"],
    ['{"type":"message","sequence":1,"topic":"t","qos":3}', "qos must be 0, 1 or 2"],
    ['{"type":"message","sequence":1,"topic":"t","qos":1,"retain":1}', "retain must be true or false"],
    ['{"type":"message","sequence":1,"topic":"t","qos":1,"retain":true,"properties":"a"}', "properties must be base64"],
    [lineOf({ ...message, payload: none }).replace('"payload":""', '"payload":"eB=="'), "payload must be base64"],
    ...["", "a/#", "+", "a\0"].map((topic) => [lineOf({ ...message, topic }), "topic must be a Topic Name"] as const),
    ['{"type":"retained","topic":"#","sequence":1}', "topic must be a Topic Name"],
    [JSON.stringify({ type: "will set", clientId: "a", owner: anybody, will: aWill }), "topic must be a Topic Name"],
    ...["", "#a", "a/#/b", "$share/a"].map(
      (filter) =>
        [JSON.stringify({ type: "walk begun", clientId: "a", filter }), "filter must be a Topic Filter"] as const,
    ),
  ])("%s is told", (line, problem) => {
    expect(() => changeOf(line)).toThrow(problem)
  })
})

describe("puremq store", () => {
  it("check says what there is, and what a crash has cut off, and changes nothing", async () => {
    const directory = await made("checked")
    expect(await puremq("store", "check", "checked")).toEqual({
      status: 0,
      out: expect.stringMatching(
        /^checked is whole: 1 file, \d+ bytes, with 3 sessions, 0 subscriptions, \d+ messages \(\d+ on their way to clients, 4 retained\) and 0 wills\n$/,
      ),
      err: "",
    })
    const bytes = readFileSync(journalOf(directory))
    writeFileSync(journalOf(directory), bytes.subarray(0, -5))
    expect((await puremq("store", "check", "checked")).out).toMatch(
      /\n\d+ bytes at its end are a turn that was not finished; /,
    )
    expect(readFileSync(journalOf(directory)).length).toBe(bytes.length - 5)
    const store = await openFileStore({ directory })
    await answerOf(store.commit([{ type: "retained", topic: "t", sequence: 9999 }]))
    await answerOf(store.close())
    const { status, err } = await puremq("store", "check", "checked")
    expect([status, err]).toEqual([1, "puremq: checked has 1 reference to messages that are not there\n"])
  })

  it("check and export say where power was lost, and compact removes what came later", async () => {
    const directory = await made("cut")
    const bytes = readFileSync(journalOf(directory))
    writeFileSync(journalOf(directory), bytes.subarray(0, -5))
    writeFileSync(`${directory}/journal-0000000002`, new RecordFormat().head("journal", 2, bytes.length))
    const lost =
      /^power was lost before the disk had all that was acknowledged: cut\/journal-0000000001 lacks (\d+) bytes from offset (\d+) on, so what came after them is lost too, in journal-0000000002 \(36 bytes\); durability "power" prevents that/
    const { status, out, err } = await puremq("store", "check", "cut")
    expect([status, err]).toEqual([0, ""])
    const lines = out.split("\n")
    expect(lines[0]).toMatch(/^cut is whole up to where power was lost: 1 file, \d+ bytes, with 3 sessions, /)
    expect(lines[1]).toMatch(new RegExp(`${lost.source}; the broker removes them when it starts$`))
    expect(lines.slice(2)).toEqual([""])
    const [, lacks, from] = lost.exec(lines[1] ?? "") ?? []
    expect(Number(lacks) + Number(from)).toBe(bytes.length)
    const exported = await puremq("store", "export", "cut")
    expect(exported.err).toMatch(new RegExp(`^puremq: ${lost.source.slice(1)}\n$`))
    expect(changesIn(exported.out)).toEqual(folded(turns.slice(0, -1)))
    expect(readdirSync(directory).length).toBe(2)
    const compacted = await puremq("store", "compact", "cut")
    expect(compacted.out).toMatch(new RegExp(`${lost.source}; they are removed\ncut has \\d+ bytes`))
    expect((await puremq("store", "export", "cut")).out).toBe(exported.out)
  })

  it("export and import: the same store in another folder", async () => {
    await made("exported")
    const lines = await puremq("store", "export", "exported")
    expect([lines.status, lines.err]).toEqual([0, ""])
    expect(changesIn(lines.out)).toEqual(folded(turns))
    const imported = await puremqWith(lines.out, "store", "import", "imported")
    expect([imported.status, imported.err]).toEqual([0, ""])
    expect(imported.out).toMatch(/^imported has 3 sessions/)
    expect(await puremq("store", "export", "imported")).toEqual(lines)
    const store = await openFileStore({ directory: command.at("imported") })
    expect(await restored(store)).toEqual(folded(turns))
    await answerOf(store.close())

    const again = await puremqWith(lines.out, "store", "import", "imported")
    expect(again).toEqual({
      ...{ status: 1, out: "" },
      err: "puremq: there is a store in imported already; use another folder\n",
    })
    const number = lines.out.split("\n").length
    await refused(`${lines.out}{"type":"eaten"}\n`, `line ${number} of the input: type must be one of `)
  })

  it("import refuses what is not all there, and leaves nothing", async () => {
    await made("whole")
    const { out } = await puremq("store", "export", "whole")
    const lines = out.trimEnd().split("\n")
    const text = (some: readonly string[]) => some.map((line) => `${line}\n`).join("")
    const remedy = "export it again, or take it as it is with --incomplete\n"
    const cut = `the input has no end line: it is cut short, or of an older puremq; ${remedy}`
    await refused("", cut)
    await refused(text(lines.slice(0, -1)), cut)
    await refused(out.slice(0, -20), `line ${lines.length} of the input: it is no JSON\n`)
    const without = lines.findIndex((line) => line.startsWith('{"type":"sent"'))
    const count = `the input has ${lines.length - 2} lines, and had ${lines.length - 1}; ${remedy}`
    await refused(text(lines.toSpliced(without, 1)), count)
    await refused(text([...lines, lines[0]!]), `line ${lines.length + 1} of the input comes after its end line\n`)
    await refused(text(lines.toReversed()), "line 2 of the input comes after its end line\n")
    await refused(text(lines.slice(0, -1).toReversed()), /^puremq: line 1 of the input: there is no session "c"\n$/)
    await refused(text(lines.slice(3)), /^puremq: line \d+ of the input: [^\n]*there is no message \d+\n$/)
    // What was said twice is wrong with it, too.
    const twice = text([lines[0]!, ...lines.slice(0, -1)])
    await refused(twice, /^puremq: line 2 of the input: there is a message \d+ already\n$/, "--incomplete")
    // In a folder that there was only that is left.
    mkdirSync(command.at("there"))
    expect((await puremqWith("", "store", "import", "there")).status).toBe(1)
    expect(readdirSync(command.at("there"))).toEqual([])

    const changes = lines.slice(0, -1)
    const some = [
      [changes, changes],
      [lines.toSpliced(without, 1), changes.toSpliced(without, 1)],
    ] as const
    for (const [n, [given, kept]] of some.entries()) {
      const taken = await puremqWith(text(given), "store", "import", `some-${n}`, "--incomplete")
      expect([taken.status, taken.err]).toEqual([0, ""])
      const again = await puremq("store", "export", `some-${n}`)
      expect(changesIn(again.out)).toEqual(kept.map(changeOf))
    }
  })

  it("import --incomplete takes what is whole of what is not all there, and says what it leaves out", async () => {
    await made("torn")
    const { out } = await puremq("store", "export", "torn")
    const lines = out.trimEnd().split("\n")
    const taken = async (name: string, some: readonly string[]) => {
      const input = some.map((line) => `${line}\n`).join("")
      const { status, out, err } = await puremqWith(input, "store", "import", name, "--incomplete")
      expect([status, err]).toEqual([0, ""])
      expect((await puremq("store", "check", name)).status).toBe(0)
      const kept = changesIn((await puremq("store", "export", name)).out)
      return { told: out.split("\n")[1] ?? "", kept }
    }
    const isMessage = (line: string) => line.startsWith('{"type":"message"')
    const gone = new Set(
      lines
        .filter(isMessage)
        .slice(0, 3)
        .map((line) => JSON.parse(line).sequence as number),
    )
    const lost = lines.filter((line) => !isMessage(line) || !gone.has(JSON.parse(line).sequence as number))
    const places = new Set<string>()
    const whole = changesIn(out).filter((change) => {
      if ("sequence" in change && gone.has(change.sequence)) {
        if (change.type === "queued") places.add(`${change.clientId} ${change.place}`)
        return false
      }
      return !("place" in change && places.has(`${change.clientId} ${change.place}`))
    })
    const some = await taken("some", lost)
    expect(some.kept).toEqual(whole)
    const refers =
      "that refer to what is not there; the first is line \\d+ of the input: [^\n]*there is no message \\d+$"
    expect(some.told).toMatch(
      new RegExp(`^left out: ${changesIn(out).length - whole.length - 3} lines? \\([^)]+\\) ${refers}`),
    )
    const none = await taken(
      "none",
      lines.filter((line) => !isMessage(line)),
    )
    expect(none.kept.some(({ type }) => type === "retained" || type === "queued" || type === "sent")).toBe(false)
    expect(none.kept.filter(({ type }) => type === "opened")).toHaveLength(3)
    expect(none.told).toMatch(/^left out: \d+ lines \((?:\d+ "[a-z ]+"(?:, )?)+\) /)
    const sessions = await taken(
      "sessions",
      lines.filter((line) => !line.startsWith('{"type":"opened"')),
    )
    expect(sessions.told).toMatch(/there is no session "/)
    expect((await taken("all", lines)).told).toBe("")
  })

  it("import of an input that cannot be read makes no store", async () => {
    const folder = openSync(command.folder, "r")
    const { status, err } = await command.start(["store", "import", "of-folder"], { stdio: [folder, "pipe", "pipe"] })
      .ended
    closeSync(folder)
    expect(status).toBe(1)
    expect(err).toMatch(/^puremq: cannot read the input: [^\n]+\n$/)
    expect(existsSync(command.at("of-folder"))).toBe(false)
  })

  it("export --up-to-damage: what comes before it", async () => {
    const directory = await made("broken")
    const bytes = readFileSync(journalOf(directory))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(journalOf(directory), bytes)
    const refused = await puremq("store", "export", "broken")
    expect([refused.status, refused.out]).toEqual([1, ""])
    expect(refused.err).toMatch(/^puremq: broken\/journal-0000000001 is damaged at offset \d+: [^\n]+\n$/)
    const part = await puremq("store", "export", "broken", "--up-to-damage")
    expect(part.status).toBe(1)
    expect(part.err).toMatch(
      /^puremq: what comes before it was written: broken\/journal-0000000001 is damaged at offset \d+: [^\n;]+\n$/,
    )
    // There is no end line: it is not all that there was, and import wants to be told that this is known.
    const changes = part.out.trimEnd().split("\n").map(changeOf)
    expect(turns.map((_, count) => folded(turns.slice(0, count)))).toContainEqual(changes)
    expect((await puremqWith(part.out, "store", "import", "part")).status).toBe(1)
    expect((await puremqWith(part.out, "store", "import", "part", "--incomplete")).status).toBe(0)
    expect(readFileSync(journalOf(directory)).equals(bytes)).toBe(true)
  })

  it("compact: less, and the same", async () => {
    const directory = await made("large")
    cpSync(directory, command.at("small"), { recursive: true })
    const { status, out } = await puremq("store", "compact", "small")
    const [, now, before] = /^small has (\d+) bytes, and had (\d+)\n$/.exec(out) ?? []
    expect(status).toBe(0)
    expect(Number(now)).toBeLessThan(Number(before) / 2)
    expect((await puremq("store", "export", "small")).out).toBe((await puremq("store", "export", "large")).out)
  })

  it("while a broker has it open it is refused", async () => {
    const store = await openFileStore({ directory: command.at("open") })
    for (const action of ["check", "export", "import", "compact"]) {
      const { status, err } = await puremq("store", action, "open")
      expect([status, err]).toEqual([
        1,
        "puremq: another broker has the store open open; stop it, or use another folder\n",
      ])
    }
    await answerOf(store.close())
  })

  it.each([
    [[], 2, "expected check, export, import or compact, and FOLDER"],
    [["check"], 2, "expected check, export, import or compact, and FOLDER"],
    [["eat", "folder"], 2, "eat is none of check, export, import and compact"],
    [["check", "a", "b"], 2, "expected check, export, import or compact, and FOLDER"],
    [["check", "a", "--up-to-damage"], 2, "--up-to-damage is for export"],
    [["export", "a", "--incomplete"], 2, "--incomplete is for import"],
    [["check", "nowhere"], 1, "there is no store in nowhere"],
    [["check", "empty"], 1, "there is no store in empty"],
  ])("%j is told in one line", async (args, status, message) => {
    mkdirSync(command.at("empty"), { recursive: true })
    const ended = await puremq("store", ...args)
    expect([ended.status, ended.out]).toEqual([status, ""])
    expect(ended.err).toMatch(/^puremq: [^\n]+\n$/)
    expect(ended.err).toContain(message)
  })
})
