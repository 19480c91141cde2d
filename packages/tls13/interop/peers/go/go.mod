module puremq-interop-peer

go 1.24
