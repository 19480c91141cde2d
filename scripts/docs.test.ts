import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { brokerFloors, floors } from "./floors/rules.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

describe("the documents", () => {
  const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ...markdownIn("docs")]

  it.each(pages)("%s: every link into the repository leads somewhere", (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!)
    const local = links.filter((link) => !/^[a-z]+:/.test(link) && !link.startsWith("#"))
    const dead = local.filter((link) => !existsSync(join(root, dirname(page), link.replace(/#.*$/, ""))))
    expect(dead).toEqual([])
  })

  it("docs/reading-order.md counts the files that it names, and all of them exist", () => {
    const text = read("docs/reading-order.md")
    const files = [...text.matchAll(/^\d+\. `([^`]+)`/gm)].map((match) => match[1]!)
    expect(files.filter((file) => !existsSync(join(root, "packages/tls13/src", file)))).toEqual([])
    // Each walk begins with its number, and counts from 1.
    const walks = text.split(/^(?=# |## (?:The server|One record))/m).filter((walk) => walk !== "")
    expect(walks).toHaveLength(3)
    for (const walk of walks) {
      const numbers = [...walk.matchAll(/^(\d+)\. `/gm)].map((match) => Number(match[1]))
      expect(numbers).toEqual(numbers.map((_, index) => index + 1))
      const said = /^#.*\bin (\d+) files/.exec(walk)
      if (said !== null) expect(numbers).toHaveLength(Number(said[1]))
    }
  })

  it("docs/conformance.md names files that exist", () => {
    const files = [...read("docs/conformance.md").matchAll(/`([a-z0-9/-]+(?:\.test)?\.ts)`/g)].map((match) => match[1]!)
    expect(files.length).toBeGreaterThan(30)
    const exists = (file: string) => [file, `packages/tls13/src/${file}`].some((path) => existsSync(join(root, path)))
    expect(files.filter((file) => !exists(file))).toEqual([])
  })

  it("docs/architecture.md shows the floors as they are checked", () => {
    const [stack = "", broker = ""] = read("docs/architecture.md").split(/^The floors of `packages\/broker\/src`/m)
    expect(floorsIn(stack)).toEqual(floors)
    expect(floorsIn(broker)).toEqual(brokerFloors)
  })
})

/** The rows of a table of floors. */
function floorsIn(text: string): Record<string, number> {
  const rows = [...text.matchAll(/^\| (\d+) \| (.+?) \|/gm)]
  return Object.fromEntries(
    rows.flatMap(([, floor, folders]) =>
      [...folders!.matchAll(/`([a-z0-9-]+)\/`/g)].map((match) => [match[1]!, Number(floor)] as const),
    ),
  )
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8")
}

function markdownIn(folder: string): string[] {
  return filesIn(folder).filter((path) => path.endsWith(".md"))
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (["node_modules", "dist"].includes(entry.name)) return []
    return entry.isDirectory() ? filesIn(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]
  })
}
