// Java's JSSE as a peer: it connects, sends bytes and checks that the same come back, or it echoes what comes.

import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class Peer {
    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 1; i + 1 < args.length; i += 2) options.put(args[i].substring(2), args[i + 1]);
        // Of a list it would send a share for each kind of group, so that nothing is left to ask for.
        String groups = options.getOrDefault("groups", ":");
        if (!groups.contains(":")) System.setProperty("jdk.tls.namedGroups", groups.replace("P-", "secp") + "r1");
        SSLContext context = context(options);
        if (args[0].equals("client")) {
            int connections = Integer.parseInt(options.getOrDefault("connections", "1"));
            for (int i = 0; i < connections; i++) exchange(context, options);
        } else {
            serve(context, options);
        }
    }

    static SSLContext context(Map<String, String> options) throws Exception {
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        if (options.containsKey("ca")) trust.setCertificateEntry("ca", certificate(options.get("ca")));
        TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
        if (options.containsKey("ca")) trusted.init(trust);
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        if (options.containsKey("cert")) {
            Certificate[] chain = {certificate(options.get("cert"))};
            own.setKeyEntry("own", key(options.get("key")), new char[0], chain);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), options.containsKey("ca") ? trusted.getTrustManagers() : null, null);
        return context;
    }

    static Certificate certificate(String path) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    static PrivateKey key(String path) throws Exception {
        String pem = Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----|\\s", "");
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    }

    static void exchange(SSLContext context, Map<String, String> options) throws Exception {
        int port = Integer.parseInt(options.get("port"));
        // A new connection to the same name and port resumes the session of the last one.
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
            socket.setEnabledProtocols(new String[] {"TLSv1.3"});
            var parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            byte[] sent = new byte[Integer.parseInt(options.getOrDefault("bytes", "300"))];
            new SecureRandom().nextBytes(sent);
            byte[] got = new byte[sent.length];
            // In parts, each after the echo of the last: what a renewal of keys asks for is answered with the next.
            int part = Math.max(4096, sent.length / 8);
            for (int at = 0; at < sent.length; at += part) {
                int from = at;
                int length = Math.min(part, sent.length - at);
                // In TLS 1.3 another handshake is a KeyUpdate.
                if (options.containsKey("key-update") && at > 0) socket.startHandshake();
                Thread sender = new Thread(() -> send(socket, sent, from, length));
                sender.start();
                socket.getInputStream().readNBytes(got, from, length);
                sender.join();
            }
            if (!Arrays.equals(sent, got)) throw new Exception("another text came back");
            say(socket);
        }
    }

    static void send(SSLSocket socket, byte[] data, int from, int length) {
        try {
            socket.getOutputStream().write(data, from, length);
        } catch (Exception error) {
            System.err.println(error);
        }
    }

    static void serve(SSLContext context, Map<String, String> options) throws Exception {
        SSLServerSocket server = (SSLServerSocket)
            context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        server.setEnabledProtocols(new String[] {"TLSv1.3"});
        server.setNeedClientAuth(options.containsKey("ca"));
        System.out.println("listening on 127.0.0.1:" + server.getLocalPort());
        while (true) {
            SSLSocket socket = (SSLSocket) server.accept();
            new Thread(() -> echo(socket, options.containsKey("key-update"))).start();
        }
    }

    static void echo(SSLSocket socket, boolean renewKeys) {
        try (socket) {
            socket.startHandshake();
            say(socket);
            byte[] buffer = new byte[16384];
            for (int n; (n = socket.getInputStream().read(buffer)) > 0; ) {
                if (renewKeys) socket.startHandshake();
                socket.getOutputStream().write(buffer, 0, n);
            }
        } catch (Exception error) {
            System.err.println(error);
        }
    }

    static void say(SSLSocket socket) {
        System.out.println(socket.getSession().getProtocol() + " " + socket.getSession().getCipherSuite());
    }
}
