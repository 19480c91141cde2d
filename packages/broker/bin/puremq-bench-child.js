// What `puremq bench` starts: its clients, and a broker to measure.
import "../dist/cli/bench/child.js"
