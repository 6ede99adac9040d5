// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// metadata-reader [--timeout MS] DIRECTORY
//
// Says of each picture and sound in a tree what it is. They are read in worker processes,
// by a parser that trusts what it reads, as many do: a file that makes it crash, or go
// round for ever, costs a line in the output, and nothing else.
//
//     $ metadata-reader pictures
//     pictures/cat.png: PNG 640 x 480, “A cat”
//     pictures/evil.png: crashed
//     pictures/notes.txt: unknown kind of file
//     1 read, 1 refused, 1 crashed, 0 took too long
//
// The worker is this program, started with --worker.
//
// Exit status: 0; 1 after a problem; 2 if called in a wrong way.

using GLib;
using Concur;

const uint N_WORKERS = 2;

uint32 get_be32 (uint8* data) {
	return (uint32) data[0] << 24 | (uint32) data[1] << 16 | (uint32) data[2] << 8 | data[3];
}

uint32 get_le16 (uint8* data) {
	return (uint32) data[1] << 8 | data[0];
}

bool begins (uint8* data, string name) {
	return Memory.cmp (data, name, name.length) == 0;
}

// The part of this name, in a list of parts that begin with their length. Whether such a part
// can be in the file is what this parser does not ask.
uint8* find_png_part (uint8* data, string name) {
	uint32 at = 8;

	while (!begins (data + at + 4, "IEND")) {
		if (begins (data + at + 4, name))
			return data + at;
		at += 12 + get_be32 (data + at);
	}

	return null;
}

Variant read_png (uint8* data) {
	var found = new VariantDict ();
	uint8* head = find_png_part (data, "IHDR");
	uint8* text = find_png_part (data, "tEXt");

	found.insert_value ("kind", "PNG");
	if (head != null) {
		found.insert_value ("width", get_be32 (head + 8));
		found.insert_value ("height", get_be32 (head + 12));
	}
	if (text != null && (string) (text + 8) == "Title")
		found.insert_value ("title", ((string) (text + 14)).make_valid (get_be32 (text) - 6));

	return found.end ();
}

Variant read_gif (uint8* data) {
	var found = new VariantDict ();

	found.insert_value ("kind", "GIF");
	found.insert_value ("width", get_le16 (data + 6));
	found.insert_value ("height", get_le16 (data + 8));

	return found.end ();
}

Variant read_wav (uint8* data) {
	var found = new VariantDict ();

	found.insert_value ("kind", "WAV");
	found.insert_value ("channels", get_le16 (data + 22));
	found.insert_value ("rate", get_le16 (data + 26) << 16 | get_le16 (data + 24));

	return found.end ();
}

// The worker's side: answers one call.
Variant? answer (WorkerCall call) throws Error {
	var file = new MappedFile (call.get_arguments ().get_bytestring (), false);
	uint8* data = file.get_contents ();
	size_t size = file.get_length ();

	if (size >= 33 && begins (data, "\x89PNG\r\n\x1a\n"))
		return read_png (data);
	if (size >= 10 && begins (data, "GIF8"))
		return read_gif (data);
	if (size >= 28 && begins (data, "RIFF") && begins (data + 8, "WAVE"))
		return read_wav (data);

	throw new IOError.NOT_SUPPORTED ("unknown kind of file");
}

// The program's side, all in the main thread.
class Reader : Object {
	private ProcessExecutor workers;
	private Future[] files = {};
	public uint n_read { get; private set; }
	public uint n_refused { get; private set; }
	public uint n_crashed { get; private set; }
	public uint n_late { get; private set; }

	public Reader (int timeout_ms) throws Error {
		workers = (ProcessExecutor) Object.new (typeof (ProcessExecutor),
		                                        command: new string[] { FileUtils.read_link ("/proc/self/exe"), "--worker" },
		                                        max_workers: N_WORKERS,
		                                        max_files: (uint64) 64,
		                                        call_timeout: (int64) timeout_ms * TimeSpan.MILLISECOND,
		                                        grace_period: (int64) 0);
	}

	private static string describe (Variant found) {
		string kind = "?", title = "";
		uint32 width = 0, height = 0, channels = 0, rate = 0;

		found.lookup ("kind", "s", out kind);
		var text = new StringBuilder (kind);
		if (found.lookup ("width", "u", out width) && found.lookup ("height", "u", out height))
			text.append (" %u x %u".printf (width, height));
		if (found.lookup ("channels", "u", out channels) && found.lookup ("rate", "u", out rate))
			text.append (" %u channels, %u Hz".printf (channels, rate));
		if (found.lookup ("title", "s", out title))
			text.append (", “%s”".printf (title));

		return text.str;
	}

	private async void read (string path, Future file) {
		string outcome;

		try {
			outcome = describe (yield file.result_as<Variant> ());
			n_read++;
		} catch (ExecutorError.WORKER_DIED e) {
			outcome = "crashed";
			n_crashed++;
		} catch (FutureError.TIMED_OUT e) {
			outcome = "took too long";
			n_late++;
		} catch (Error e) {
			outcome = e.message;
			n_refused++;
		}
		print ("%s: %s\n", Filename.display_name (path), outcome);
	}

	public void add_directory (string directory) throws Error {
		var dir = Dir.open (directory);
		string? name;

		while ((name = dir.read_name ()) != null) {
			string path = Path.build_filename (directory, name);

			if (FileUtils.test (path, FileTest.IS_SYMLINK))
				continue;
			if (FileUtils.test (path, FileTest.IS_DIR)) {
				add_directory (path);
				continue;
			}

			Future file = workers.call ("read", new Variant.bytestring (path));
			files += file;
			read.begin (path, file);
		}
	}

	public async void finish () throws Error {
		yield Future.all_settled (files).wait_async ();
		yield workers.shutdown ().wait_async ();
	}
}

int main (string[] args) {
	int timeout_ms = 5000;
	OptionEntry[] entries = {
		{ "timeout", 0, 0, OptionArg.INT, &timeout_ms, "How long one file may take", "MS" },
		{ null }
	};
	var context = new OptionContext ("DIRECTORY");
	int status = 0;

	Intl.setlocale ();
	try {
		if (args.length == 2 && args[1] == "--worker")
			return worker_run (answer) ? 0 : 1;
	} catch (Error e) {
		return 1;
	}

	context.add_main_entries (entries, null);
	try {
		context.parse (ref args);
		if (args.length != 2 || timeout_ms < 0)
			throw new OptionError.FAILED ("one directory, please");
	} catch (OptionError e) {
		printerr ("metadata-reader: %s\n", e.message);
		return 2;
	}

	try {
		var loop = new MainLoop ();
		var reader = new Reader (timeout_ms);

		try {
			reader.add_directory (args[1]);
		} catch (Error e) {
			printerr ("metadata-reader: %s\n", e.message);
			status = 1;
		}
		reader.finish.begin ((object, result) => loop.quit ());
		loop.run ();
		print ("%u read, %u refused, %u crashed, %u took too long\n", reader.n_read, reader.n_refused,
		       reader.n_crashed, reader.n_late);
	} catch (Error e) {
		printerr ("metadata-reader: %s\n", e.message);
		status = 1;
	}

	return status;
}
