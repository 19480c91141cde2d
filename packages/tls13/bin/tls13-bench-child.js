// What `tls13 bench` starts: its clients and its servers.
import "../dist/cli/bench/child.js"
