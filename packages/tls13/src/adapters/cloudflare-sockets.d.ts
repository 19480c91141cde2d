/** As much of workerd's TCP sockets as workerd.ts needs. */
declare module "cloudflare:sockets" {
  export function connect(
    address: { readonly hostname: string; readonly port: number },
    options: { readonly secureTransport: "off"; readonly allowHalfOpen: boolean },
  ): {
    readonly readable: ReadableStream<Uint8Array>
    readonly writable: WritableStream<Uint8Array>
    readonly opened: Promise<unknown>
  }
}
