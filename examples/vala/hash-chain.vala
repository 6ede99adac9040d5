// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// hash-chain FILE
//
// A server and a client, over TCP. The client sends the lines of a file; the server makes
// each a link of a chain, SHA-256 of the link before and the line, and answers with it.
// The first link comes after 32 zero bytes. In the end both have the same last link, and it
// is the one that is made directly from the file.
//
// The server lives in a loop thread, the client in the main loop. A worker reads the file,
// and hands the lines over in a channel. When the server is slower the connection takes no
// more, the channel fills, and the worker waits.
//
//     $ printf 'one\ntwo\n' >file; hash-chain file
//     client 2 lines, b9f0cc52…
//     server 2 lines, b9f0cc52…
//     direct 2 lines, b9f0cc52…
//
// Exit status: 0; 1 after a problem; 2 if called in a wrong way.

using GLib;
using Concur;

// How many lines are read ahead, however slow the server is.
const int CAPACITY = 64;

const int DIGEST_SIZE = 32;

class Chain : Object {
	private uint8[] link = new uint8[DIGEST_SIZE];

	public int n_lines { get; private set; }

	public void add (uint8[] line) {
		var checksum = new Checksum (ChecksumType.SHA256);
		size_t size = DIGEST_SIZE;

		checksum.update (link, DIGEST_SIZE);
		checksum.update (line, line.length);
		checksum.get_digest (link, ref size);
		n_lines++;
	}

	// In hexadecimal digits.
	public string last () {
		var text = new StringBuilder ();

		foreach (uint8 byte in link)
			text.append_printf ("%02x", byte);
		return text.str;
	}
}

// The text that was read as one line, zero bytes included.
uint8[] bytes_of (string line, size_t length) {
	unowned uint8[] bytes = (uint8[]) line;

	bytes.length = (int) length;
	return bytes;
}

// All of it is on the loop's thread, but for what is set when it starts and what is promised.
class Server : Object {
	private SocketService service;
	private Chain chain = new Chain ();
	private Promise promise = new Promise ();

	public uint16 port { get; private set; }

	// The chain, when the client has said all.
	public Future ended { get { return promise.get_future (); } }

	public Server () {
		// After an error of the client nobody asks how this has ended.
		ended.ignore ();
	}

	// A service serves in the main context in which it was made.
	public void start () throws Error {
		SocketAddress address;

		service = new SocketService ();
		service.add_address (new InetSocketAddress (new InetAddress.loopback (SocketFamily.IPV4), 0),
		                     SocketType.STREAM, SocketProtocol.TCP, null, out address);
		port = (uint16) ((InetSocketAddress) address).port;
		service.incoming.connect ((connection) => {
			serve.begin (connection);
			return true;
		});
		service.start ();
	}

	public void stop () {
		service.stop ();
		service.close ();
		service = null;
	}

	// No line is taken before the one before it is answered.
	private async void serve (SocketConnection connection) {
		try {
			var lines = new DataInputStream (connection.input_stream);
			size_t length;

			string? line = yield lines.read_line_async (Priority.DEFAULT, null, out length);
			while (line != null) {
				string answer;

				chain.add (bytes_of (line, length));
				answer = chain.last () + "\n";
				yield connection.output_stream.write_all_async (answer.data, Priority.DEFAULT, null, null);
				line = yield lines.read_line_async (Priority.DEFAULT, null, out length);
			}
			promise.resolve (chain);
		} catch (Error e) {
			promise.reject (e);
		}
	}
}

class Client : Object {
	private SocketConnection connection;
	private Channel lines;
	private Cancellable cancellable = new Cancellable ();
	private int n_sent;

	public int n_answers { get; private set; }
	public string last { get; private set; default = new Chain ().last (); }

	public Client (File file) {
		// Nothing is read before somebody wants a line.
		lines = Executor.get_default ().generate ((job, channel) => {
			read_lines (file, job, channel);
			return true;
		}, CAPACITY);
	}

	private static void read_lines (File file, Job job, Channel channel) throws Error {
		var input = new DataInputStream (file.read (job.get_cancellable ()));
		size_t length;

		string? line = input.read_line (out length, job.get_cancellable ());
		while (line != null) {
			channel.send_value_wait<Bytes> (new Bytes (bytes_of (line, length)));
			line = input.read_line (out length, job.get_cancellable ());
		}
	}

	// The next line is taken from the channel when the one before it is on its way.
	private async void send_lines () throws Error {
		Bytes? line = yield lines.next<Bytes> (cancellable);

		while (line != null) {
			yield connection.output_stream.write_all_async (line.get_data (), Priority.DEFAULT,
			                                                cancellable, null);
			yield connection.output_stream.write_all_async ("\n".data, Priority.DEFAULT, cancellable, null);
			n_sent++;
			line = yield lines.next<Bytes> (cancellable);
		}
		// That was all: the server gets to know, and the last answers still come.
		connection.socket.shutdown (false, true);
	}

	private async void take_answers () throws Error {
		var answers = new DataInputStream (connection.input_stream);
		string? answer = yield answers.read_line_async (Priority.DEFAULT, cancellable);

		while (answer != null) {
			last = answer;
			n_answers++;
			answer = yield answers.read_line_async (Priority.DEFAULT, cancellable);
		}
	}

	public async void run (uint16 port) throws Error {
		var address = new InetSocketAddress (new InetAddress.loopback (SocketFamily.IPV4), port);
		int n_directions = 2;
		Error? problem = null;

		connection = yield new SocketClient ().connect_async (address, cancellable);
		send_lines.begin ((object, result) => {
			try {
				send_lines.end (result);
			} catch (Error e) {
				problem = problem ?? e;
				// The answers end, too.
				cancellable.cancel ();
			}
			if (--n_directions == 0)
				run.callback ();
		});
		take_answers.begin ((object, result) => {
			try {
				take_answers.end (result);
			} catch (Error e) {
				problem = problem ?? e;
				cancellable.cancel ();
			}
			if (--n_directions == 0)
				run.callback ();
		});
		yield;

		lines.stop ();
		if (problem != null)
			throw problem;
		if (n_answers != n_sent)
			throw new IOError.PARTIAL_INPUT ("%d lines were sent, and %d answered", n_sent, n_answers);
	}
}

// Without channel and connection.
Chain make_chain (File file) throws Error {
	var chain = new Chain ();
	uint8[] contents;
	int begin = 0;

	file.load_contents (null, out contents, null);
	for (int end = 0; end < contents.length; end++)
		if (contents[end] == '\n') {
			chain.add (contents[begin:end]);
			begin = end + 1;
		}
	if (begin < contents.length)
		chain.add (contents[begin:contents.length]);

	return chain;
}

async void compare (Server server, File file) throws Error {
	var client = new Client (file);

	yield client.run (server.port);
	var served = yield server.ended.result_as<Chain> ();
	var direct = yield Executor.get_default ().run<Chain> ((job) => make_chain (file));

	print ("client %d lines, %s\n", client.n_answers, client.last);
	print ("server %d lines, %s\n", served.n_lines, served.last ());
	print ("direct %d lines, %s\n", direct.n_lines, direct.last ());
	if (client.last != direct.last () || served.last () != direct.last ())
		throw new IOError.INVALID_DATA ("The chains differ");
}

int main (string[] args) {
	int status = 0;

	Intl.setlocale ();
	if (args.length != 2) {
		printerr ("Usage: hash-chain FILE\n");
		return 2;
	}

	try {
		var thread = new LoopThread ("chain");
		var server = new Server ();
		var loop = new MainLoop ();

		thread.start ();
		thread.call_as<void> ((job) => server.start ());
		compare.begin (server, File.new_for_path (args[1]), (object, result) => {
			try {
				compare.end (result);
			} catch (Error e) {
				printerr ("hash-chain: %s\n", e.message);
				status = 1;
			}
			loop.quit ();
		});
		loop.run ();
		thread.call_as<void> ((job) => server.stop ());
		thread.stop ();
	} catch (Error e) {
		printerr ("hash-chain: %s\n", e.message);
		return 1;
	}
	return status;
}
