import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { rootCertificates } from "node:tls"
import { afterAll, describe, expect, it } from "vitest"
import { HostTrust, hostRoots } from "./host-roots.ts"

const folder = mkdtempSync(join(tmpdir(), "host-roots-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe("the host's trust store", () => {
  it("finds some certificates on every host", () => {
    expect(hostRoots({}).store.anchors.length).toBeGreaterThan(50)
  })

  it("reads the file of SSL_CERT_FILE and nothing else", () => {
    const file = join(folder, "bundle.pem")
    writeFileSync(file, `# two roots\n${rootCertificates[0]}\n${rootCertificates[1]}\n`)
    const roots = hostRoots({ SSL_CERT_FILE: file })
    expect(roots.store.anchors).toHaveLength(2)
    expect(roots.source).toBe(file)
  })

  it("reads the files of SSL_CERT_DIR and passes over what is no certificate", () => {
    writeFileSync(join(folder, "README"), "nothing")
    expect(hostRoots({ SSL_CERT_DIR: folder }).store.anchors.length).toBe(2)
  })

  it("is read when it is first asked for, and once", () => {
    const file = join(folder, "later.pem")
    const trust = new HostTrust({ SSL_CERT_FILE: file })
    writeFileSync(file, `${rootCertificates[0]}\n`)
    expect(trust.store.anchors).toHaveLength(1)
    writeFileSync(file, `${rootCertificates[0]}\n${rootCertificates[1]}\n`)
    expect(trust.store.anchors).toHaveLength(1)
    expect(new HostTrust({ SSL_CERT_FILE: file }).store.anchors).toHaveLength(2)
  })

  it("says which variable leads nowhere", () => {
    expect(() => hostRoots({ SSL_CERT_FILE: join(folder, "absent.pem") })).toThrow(/SSL_CERT_FILE names .*absent.pem/)
    expect(() => hostRoots({ SSL_CERT_DIR: join(folder, "absent") })).toThrow(/SSL_CERT_DIR names/)
    writeFileSync(join(folder, "empty.pem"), "")
    expect(() => hostRoots({ SSL_CERT_FILE: join(folder, "empty.pem") })).toThrow(
      /no usable certificate.*: it is empty; check that it was written/,
    )
    writeFileSync(join(folder, "utf16.pem"), Buffer.from(`\ufeff${rootCertificates[0]}`, "utf16le"))
    expect(() => hostRoots({ SSL_CERT_FILE: join(folder, "utf16.pem") })).toThrow(
      /it is text in UTF-16; convert it with/,
    )
  })
})
