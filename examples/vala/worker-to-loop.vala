// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// worker-to-loop FILE...
//
// Says which of the files have the same content. Workers digest the files, all at once.
// Whether a content was seen before is known by a table that belongs to a loop thread: a
// worker calls into the loop to look it up and to add its own, and goes on with the
// answer. Nobody else touches the table, so it needs no lock, and it could as well be a
// D-Bus connection or anything else that must stay on one thread.
//
//     $ worker-to-loop a b c
//     a: new
//     b: new
//     c: same as a
//
// Exit status: 0; 1 if a file could not be read; 2 if called in a wrong way.

using GLib;
using Concur;

class Index : Object {
	private LoopThread loop;
	// The loop's thread only: digest → path.
	private HashTable<string, string> first_by_digest = new HashTable<string, string> (str_hash, str_equal);

	public Index (LoopThread loop) {
		this.loop = loop;
	}

	// On any thread. The part between the braces is on the loop's: one call after another,
	// whichever workers they come from.
	public string? find_or_add (string digest, string path) throws Error {
		return loop.call_as<string?> ((job) => {
			string? first = first_by_digest[digest];

			if (first == null)
				first_by_digest[digest] = path;
			return first;
		});
	}
}

// On a worker, from beginning to end.
string describe (Index index, string path) throws Error {
	uint8[] content;

	FileUtils.get_data (path, out content);
	string? first = index.find_or_add (Checksum.compute_for_data (ChecksumType.SHA256, content), path);
	return first != null ? "%s: same as %s".printf (path, first) : path + ": new";
}

int main (string[] args) {
	int status = 0;

	Intl.setlocale ();
	if (args.length < 2) {
		printerr ("Usage: worker-to-loop FILE...\n");
		return 2;
	}

	try {
		var loop = new LoopThread ("index");
		var index = new Index (loop);
		Future[] answers = {};

		loop.start ();
		foreach (unowned string arg in args[1:args.length]) {
			// A variable of its own for each closure: they capture by reference.
			string path = arg;
			answers += Executor.get_default ().submit_as<string> ((job) => describe (index, path));
		}

		// This program has no main loop, so it waits and blocks.
		foreach (var answer in answers) {
			try {
				print ("%s\n", answer.wait_as<string> ());
			} catch (Error e) {
				printerr ("%s\n", e.message);
				status = 1;
			}
		}
		loop.stop ();
	} catch (Error e) {
		printerr ("%s\n", e.message);
		return 1;
	}
	return status;
}
