import type { Server } from "node:http"

/** Serves the files of `folder` below `prefix` on 127.0.0.1; port 0: any that is free. */
export function serve(
  folder: string,
  port: number,
  prefix?: string,
): Promise<{ readonly server: Server; readonly address: string }>
