// A server of static files on loopback, and nothing more: what the page needs of any server.

import { createReadStream, statSync } from "node:fs"
import { createServer } from "node:http"
import { extname, join, normalize } from "node:path"

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
}

/**
 * @param folder served below `prefix`, such as "/" or "/lessons/tls/"
 * @param port 0: any that is free
 * @returns the server and its address, once it listens
 */
export function serve(folder, port, prefix = "/") {
  const server = createServer((request, response) => {
    const file = fileOf(folder, prefix, request.url ?? "/")
    if (file === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404, { "content-type": "text/plain" }).end("there is no such file\n")
      return
    }
    response.writeHead(200, {
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "cache-control": "no-cache",
    })
    if (request.method === "HEAD") response.end()
    else createReadStream(file).pipe(response)
  })
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => {
      resolve({ server, address: `http://127.0.0.1:${server.address().port}${prefix}` })
    })
  })
}

function fileOf(folder, prefix, url) {
  let path
  try {
    path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname))
  } catch {
    return undefined
  }
  if (!path.startsWith(prefix)) return undefined
  const file = join(folder, path.slice(prefix.length) || "index.html")
  return file.startsWith(folder) && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined
}
