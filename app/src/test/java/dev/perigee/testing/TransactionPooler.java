package dev.perigee.testing;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// Stands between clients and a PostgreSQL on this machine as PgBouncer and Supavisor do in transaction mode: a client
/// has a session of the server for one transaction, and another one for the next. What a session was set to stays with
/// it, for whoever comes next. The process number that a client is told at its login belongs to nobody.
///
/// Clients and server speak version 3 of the protocol, without TLS and passwords; requests to cancel are ignored.
///
/// @see <a href="https://www.postgresql.org/docs/current/protocol-flow.html">Message flow</a>
public final class TransactionPooler implements AutoCloseable {
    private static final int SSL_REQUEST = 80877103;
    private static final int GSS_REQUEST = 80877104;
    private static final int CANCEL_REQUEST = 80877102;

    private final Listener listener;
    private final int serverPort;
    private final int sessions;
    private final Map<ByteBuffer, LinkedBlockingQueue<Session>> pools = new ConcurrentHashMap<>();
    private final AtomicInteger logins = new AtomicInteger();
    private final AtomicInteger switches = new AtomicInteger();

    /// @param sessions with the server, for each way in which clients log in; as many transactions are open at once
    public TransactionPooler(int serverPort, int sessions) {
        this.serverPort = serverPort;
        this.sessions = sessions;
        this.listener = new Listener(this::serve);
    }

    public int port() {
        return listener.port();
    }

    /// How often a client's transaction ran in another session than the one before it.
    public int switches() {
        return switches.get();
    }

    /// Ways in which clients logged in; those of one way share their sessions.
    public int pools() {
        return pools.size();
    }

    @Override
    public void close() {
        listener.close();
    }

    private void serve(Socket client) {
        try {
            DataInputStream in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(client.getOutputStream()));
            byte[] startup = startup(in, out);
            if (startup.length == 0) return;
            LinkedBlockingQueue<Session> pool = pool(startup);
            greet(pool, out);
            converse(in, out, pool, startup);
        } catch (IOException | InterruptedException e) {
            // The client or the server has gone.
        } finally {
            listener.close(client);
        }
    }

    private static byte[] startup(DataInputStream in, DataOutputStream out) throws IOException {
        while (true) {
            byte[] message = body(in);
            int code = ByteBuffer.wrap(message).getInt();
            if (code == CANCEL_REQUEST) return new byte[0];
            if (code != SSL_REQUEST && code != GSS_REQUEST) return message;
            out.writeByte('N');
            out.flush();
        }
    }

    private synchronized LinkedBlockingQueue<Session> pool(byte[] startup) throws IOException {
        LinkedBlockingQueue<Session> pool = pools.get(ByteBuffer.wrap(startup));
        if (pool != null) return pool;
        pool = new LinkedBlockingQueue<>();
        for (int i = 0; i < sessions; i++) pool.add(new Session(startup));
        pools.put(ByteBuffer.wrap(startup), pool);
        return pool;
    }

    private void greet(LinkedBlockingQueue<Session> pool, DataOutputStream out)
            throws IOException, InterruptedException {
        Session any = pool.take();
        out.writeByte('R');
        out.writeInt(8);
        out.writeInt(0);
        out.write(any.parameters);
        pool.add(any);
        out.writeByte('K');
        out.writeInt(12);
        out.writeInt(logins.incrementAndGet()); // counted, as Supavisor does
        out.writeInt(0);
        out.writeByte('Z');
        out.writeInt(5);
        out.writeByte('I');
        out.flush();
    }

    private void converse(DataInputStream in, DataOutputStream out, LinkedBlockingQueue<Session> pool, byte[] startup)
            throws IOException, InterruptedException {
        Session session = null;
        Session last = null;
        try {
            while (true) {
                int type = in.readByte();
                if (type == 'X') return;
                byte[] body = body(in);
                if (session == null) {
                    session = pool.take();
                    if (last != null && last != session) switches.incrementAndGet();
                    last = session;
                }
                write(session.out, type, body);
                if (type != 'Q' && type != 'S') continue;
                session.out.flush();
                if (session.answer(out)) {
                    pool.add(session);
                    session = null;
                }
            }
        } finally {
            if (session != null) {
                listener.close(session.socket); // with its transaction
                pool.add(new Session(startup));
            }
        }
    }

    /// One session with the server.
    private final class Session {
        private final Socket socket;
        private final DataInputStream in;
        private final DataOutputStream out;

        /// The messages that told its parameters.
        private final byte[] parameters;

        Session(byte[] startup) throws IOException {
            socket = listener.connect(serverPort);
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
            out.writeInt(startup.length + 4);
            out.write(startup);
            out.flush();
            ByteArrayOutputStream told = new ByteArrayOutputStream();
            DataOutputStream parameter = new DataOutputStream(told);
            for (int type = in.readByte(); type != 'Z'; type = in.readByte()) {
                byte[] body = body(in);
                if (type == 'E') throw new IOException("the server refused the login");
                if (type == 'R' && ByteBuffer.wrap(body).getInt() != 0) throw new IOException("it wants a password");
                if (type != 'S') continue;
                write(parameter, type, body);
            }
            body(in);
            parameters = told.toByteArray();
        }

        /// Passes on what the server says until it is ready for more.
        ///
        /// @return whether no transaction is open
        boolean answer(DataOutputStream client) throws IOException {
            while (true) {
                int type = in.readByte();
                byte[] body = body(in);
                write(client, type, body);
                if (type != 'Z') continue;
                client.flush();
                return body[0] == 'I';
            }
        }
    }

    /// What follows a message's type.
    private static byte[] body(DataInputStream in) throws IOException {
        byte[] body = new byte[in.readInt() - 4];
        in.readFully(body);
        return body;
    }

    private static void write(DataOutputStream out, int type, byte[] body) throws IOException {
        out.writeByte(type);
        out.writeInt(body.length + 4);
        out.write(body);
    }
}
