// Bundles the dashboard, and writes it as a module of the broker: so it is in the package, in a single file and in an executable
// alike, and a test that runs on the sources has it. git does not keep that module. `npm run build` and the tests run this.

import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const folder = fileURLToPath(new URL("..", import.meta.url))
const page = join(folder, "page")
const module = join(folder, "../src/admin/http/page/files.ts")

/** @returns each file: its path, media type and bytes; and the sources that they were made of */
export async function bundleDashboard() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: { page: "src/main.tsx", style: "page/page.css" },
    outdir: "/",
    entryNames: "[name]-[hash]",
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    conditions: ["@puremq/source"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
  })
  const files = outputFiles.map(({ path, contents }) => {
    const name = path.slice(path.lastIndexOf("/") + 1)
    const type = name.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8"
    return { path: `/${name.toLowerCase()}`, type, bytes: Buffer.from(contents), kept: true }
  })
  const named = (ending) => files.find(({ path }) => path.endsWith(ending)).path.slice(1)
  const text = readFileSync(join(page, "index.html"), "utf8")
    .replace("page.css", named(".css"))
    .replace("page.js", named(".js"))
  const icon = readFileSync(join(page, "icon.svg"))
  return {
    files: [
      { path: "/", type: "text/html; charset=utf-8", bytes: Buffer.from(text), kept: false },
      { path: "/icon.svg", type: "image/svg+xml", bytes: icon, kept: false },
      ...files,
    ],
    sources: Object.keys(metafile.inputs).map((path) => relative(folder, join(folder, path))),
  }
}

/** Writes the module where it is not what it would be. */
export async function writeDashboard() {
  const { files } = await bundleDashboard()
  const rows = files.map(({ path, type, bytes, kept }) => {
    const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 22)
    const gzip = gzipSync(bytes, { level: 9 }).toString("base64")
    return `  ${JSON.stringify({ path, type, tag, kept, gzip })},\n`
  })
  const text = `// Made by packages/broker/dashboard/build/bundle.mjs.

export interface PageFile {
  readonly path: string
  readonly type: string
  /** Of its bytes. */
  readonly tag: string
  /** Its path is of its bytes, too: it never changes. */
  readonly kept: boolean
  /** Compressed, in base64. */
  readonly gzip: string
}

export const pageFiles: readonly PageFile[] = [
${rows.join("")}]
`
  if (existsSync(module) && readFileSync(module, "utf8") === text) return
  mkdirSync(dirname(module), { recursive: true })
  writeFileSync(module, text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeDashboard()
