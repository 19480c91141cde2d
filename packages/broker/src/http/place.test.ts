import { describe, expect, it } from "vitest"
import { placeOf } from "./place.ts"

describe("where the broker calls", () => {
  it.each([
    [
      "https://login.example/mqtt?a=b",
      {
        secure: true,
        host: "login.example",
        port: 443,
        path: "/mqtt?a=b",
        authority: "login.example",
        shown: "https://login.example/mqtt",
      },
    ],
    ["https://[2001:db8::1]:8443", { host: "2001:db8::1", port: 8443, path: "/", authority: "[2001:db8::1]:8443" }],
    ["http://127.0.0.1:8080/x", { secure: false, port: 8080 }],
    ["http://127.9.9.9", { port: 80 }],
    ["http://[::1]/x", { host: "::1" }],
    ["http://localhost:1/x", { host: "localhost" }],
  ])("may be %s", (url, place) => expect(placeOf(url)).toMatchObject(place))

  it.each([
    ["login.example", /^a URL such as https:/],
    ["ftp://login.example", /begins with https:/],
    ["http://login.example", /plain http is for this machine only/],
    ["http://10.0.0.1", /plain http is for this machine only/],
    ["http://127.0.0.1.example.com", /plain http is for this machine only/],
    ["http://localhost.example.com", /plain http is for this machine only/],
    ["https://user:word@login.example", /without user and password/],
    ["https://login.example/#x", /without #/],
  ])("may not be %s", (url, problem) => expect(placeOf(url)).toMatch(problem))
})
