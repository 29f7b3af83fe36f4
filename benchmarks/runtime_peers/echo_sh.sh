#!/bin/sh
handle() { cat; }
