// What the tests know and a release needs, too: TypeScript of this repository.

import { join } from "node:path"
import { build } from "esbuild"
import { root } from "./run.mjs"

/** Its exports. @param path from the root; it may import its neighbours */
export async function load(path) {
  const { outputFiles } = await build({
    entryPoints: [join(root, path)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`)
}
