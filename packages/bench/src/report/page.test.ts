import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { UsageError } from "../options.ts"
import { commandOf } from "../parts.ts"
import { condensed, type Figure, type Results, readResults, resultsText } from "../results.ts"
import { quartiles } from "../statistics.ts"
import { comparisonsPage } from "./page.ts"
import { coloursOf } from "./subjects.ts"

function comparison(title: string, scenario?: string, scale = 1): Figure {
  const row = (name: string, values: readonly number[]) => ({
    name,
    samples: values.map((value) => scale * value),
    median: scale * quartiles(values)[1],
    ratio: [1, 1.5, 2] as const,
  })
  return {
    title,
    unit: "µs CPU",
    rounds: 5,
    rows: [row("noble", [10, 11, 12, 13, 14]), row("fast", [1, 2, 3, 4, 5])],
    drifts: [0.01, 0.3],
    absent: [{ name: "node", why: "node:tls has no <0-RTT>" }],
    ...(scenario && { scenario }),
  }
}

function resultsOf(runtime: string, figures: readonly (readonly [part: string, figure: Figure])[]): Results {
  return {
    format: "puremq-comparisons/1",
    command: "npm run bench -- engine",
    started: "2026-11-29T08:00:00.000Z",
    seconds: 100,
    runtime,
    machine: {
      host: "machine<1>",
      system: "Linux",
      kernel: "Linux 6",
      architecture: "x64",
      cpu: "CPU",
      cpus: 2,
      cpusAllowed: "0-1",
      cpuQuota: null,
      governor: "performance",
      turbo: null,
      virtual: true,
      memoryBytes: 2 ** 33,
      runtime,
      loadBefore: 3,
    },
    during: { busy: 0.5, steal: 0.034 },
    versions: { mosquitto: "2.0.11", nginx: "not installed" },
    findings: figures.map(([part, figure]) => ({ part, command: commandOf(part, figure), figure })),
    rows: [
      { name: "a row", unit: "x", values: [0.1, 0.11, 0.12, 0.13, 0.11], target: { most: 0.2 } },
      { name: "a missed row", unit: "x", values: [1, 1.1, 1.2], target: { least: 2 }, note: "not settled: fast 30%" },
      { name: "one that is not here", skipped: "there is none" },
    ],
    broken: [],
  }
}

const node20 = "Node.js v20.20.2 (OpenSSL 3.0.19)"
const sizes = [16, 256, 4096].map(
  (bytes) => ["records", comparison(`seal ${bytes}`, `seal ${bytes} TLS_AES_128_GCM_SHA256`, bytes)] as const,
)
const table = ["memory", { title: "Memory", head: ["", "KiB"], cells: [["ours & theirs", "3"]] }] as const
const one = resultsOf(node20, [["engine", comparison("full handshake", "full,hrr")], ...sizes, table])
const page = comparisonsPage([one])

describe("the page of npm run bench", () => {
  it("is one file that needs no other, and runs nothing", () => {
    expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\(|https?:/)
    expect(page).toContain("prefers-color-scheme:dark")
  })

  it("says of what machine it is, how busy that was, and with which versions", () => {
    for (const words of [
      "machine&lt;1&gt;",
      "performance",
      "3.00",
      "3.4%",
      "2.0.11",
      "2026-11-29 08:00:00 UTC",
      "Node 20.20.2",
    ])
      expect(page).toContain(words)
    expect(page).toContain("a load of 3.0 with 2 CPUs")
    expect(page).toContain("(steal)")
  })

  it("has the command of each figure, and its data to be taken away", () => {
    expect(page).toContain("<code>npm run bench -- --scenario full,hrr</code>")
    expect(page).toContain("<code>npm run bench -- memory</code>")
    const links = [...page.matchAll(/<a download="([^"]+)" href="data:application\/json;charset=utf-8,([^"]+)"/g)]
    const data = new Map(links.map(([, name, text]) => [name, JSON.parse(decodeURIComponent(text!))]))
    expect(data.get("results.json")).toEqual(JSON.parse(JSON.stringify(one)))
    expect(data.get("full-handshake.json")[0].comparison.rows[1].samples).toEqual([1, 2, 3, 4, 5])
  })

  it("says what was skipped, why, and which engine had not settled", () => {
    expect(page).toContain("node: skipped: node:tls has no &lt;0-RTT&gt;")
    expect(page).toContain("fast: not settled (+30.0%) when the rounds began")
    expect(page).toContain("In 5 of 7 an engine had not settled")
    expect(page).toContain('one that is not here<div class="soft">there is none</div>')
  })

  it("shows rows of --check with what became of them", () => {
    expect(page).toContain('<b class="met">1</b>met')
    expect(page).toContain('<b class="missed">1</b>not met')
    expect(page).toContain('<b class="quiet">1</b>skipped')
    expect(page.match(/class="wanted"/g)).toHaveLength(2)
  })

  it("draws sizes as curves of MB a second", () => {
    const curve = /<svg role="img" aria-label="seal, TLS_AES_128_GCM_SHA256"[\s\S]*?<\/svg>/.exec(page)![0]
    // 16 bytes in 160 to 224 µs are about 0.083 MB/s at each size.
    expect(curve.match(/<title>noble, [\d,]+: 0\.0833<\/title>/g)).toHaveLength(3)
  })

  it("has several runtimes in one drawing, by name", () => {
    const other = resultsOf("Bun 1.4.5", [["engine", comparison("full handshake", "full,hrr", 2)]])
    const both = comparisonsPage([one, other])
    expect(both).toContain("fast, Node 20.20.2: 3, 1.5 x")
    expect(both).toContain("fast, Bun 1.4.5: 6, 1.5 x")
    expect(both.match(/<figcaption>full handshake/g)).toHaveLength(1)
  })

  it("has a command for all runtimes of a drawing", () => {
    const on = (results: Results, name: string): Results => ({
      ...results,
      findings: results.findings.map((each) => ({ ...each, command: `${each.command} --on ${name}` })),
    })
    const bun = resultsOf("Bun 1.4.5", [["engine", comparison("full handshake", "full,hrr", 2)]])
    const page = comparisonsPage([on(one, "node20"), on(bun, "bun")])
    expect(page).toContain("<code>npm run bench -- --scenario full,hrr --on node20,bun</code>")
  })

  it("gives subjects of a drawing colours of their own, the same in each", () => {
    const names = [
      "node:tls (OpenSSL)",
      "PureMQ, noble",
      "PureMQ, fast",
      "PureMQ, host crypto",
      "openssl s_server",
      "nginx",
    ]
    const colours = coloursOf(names)
    expect(new Set(colours.values()).size).toBe(names.length)
    expect(coloursOf(["PureMQ, fast", "node:tls"]).get("PureMQ, fast")).toBe(colours.get("PureMQ, fast"))
    expect([...coloursOf(Array.from({ length: 9 }, (_, i) => `x${i}`)).values()].every((colour) => colour < 6)).toBe(
      true,
    )
  })
})

describe("results in a file", () => {
  it("are read as they were written", () => {
    const folder = mkdtempSync(join(tmpdir(), "puremq-bench-"))
    try {
      const file = join(folder, "r.json")
      writeFileSync(file, resultsText(one))
      const read = readResults(file)
      expect(read.findings).toEqual(JSON.parse(JSON.stringify(one.findings)))
      expect(comparisonsPage([read])).toContain("In 5 of 7 an engine had not settled")
      for (const text of ["{", "null", "[]", '{"format":"puremq-bench/1"}', '{"format":"puremq-comparisons/1"}']) {
        writeFileSync(file, text)
        expect(() => readResults(file)).toThrow(UsageError)
      }
      expect(() => readResults(join(folder, "none.json"))).toThrow(/none\.json cannot be read/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it("that are kept for the documents have quartiles, verdicts and rounds as before", () => {
    const few = condensed(one)
    const [figure, before] = [few, one].map(({ findings }) => findings[0]!.figure as Extract<Figure, { rows: unknown }>)
    expect(figure!.rows.map(({ samples }) => quartiles(samples))).toEqual(
      before!.rows.map(({ samples }) => quartiles(samples)),
    )
    expect(figure!.rows.map(({ samples }) => samples.length)).toEqual([3, 3])
    expect(few.rows[0]).toMatchObject({ values: [0.11, 0.11, 0.12], rounds: 5 })
    expect(condensed(few)).toEqual(few)
  })
})
